// The headers that customers add to their deliveries, as they are kept and as they are shown. Pure.
import { headerMask } from '@na/contracts';

export type Headers = Record<string, string>;

const sensitive = /(authorization|cookie|key|token|secret|password)$/i;

export function withLowerCaseNames(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Values of headers that look like credentials are shown to nobody, as many as can read them may read the endpoint. */
export function maskHeaders(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, sensitive.test(name) ? headerMask : value]));
}
