// The address of the egress proxy as an operator writes it. Its faults must name no part of it: it carries a password. Pure.
import { z } from 'zod';

export interface Proxy {
  isSecure: boolean;
  /** Without brackets. */
  hostname: string;
  port: number;
  /** The value of Proxy-Authorization, if the proxy asks for one. */
  authorization: string | undefined;
}

/** Empty text is undefined: no proxy. */
export const proxyUrl = z.string().transform((text, context): Proxy | undefined => {
  if (text === '') return undefined;
  try {
    return parseProxy(text);
  } catch (error) {
    context.issues.push({ code: 'custom', message: (error as Error).message, input: '' });
    return z.NEVER;
  }
});

function parseProxy(text: string): Proxy {
  if (!URL.canParse(text)) throw new Error('must be http://host:port or https://host:port');
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error('must start with http:// or https://');
  if (pathname !== '/' || search || hash) throw new Error('must end after the port');
  const isSecure = protocol === 'https:';
  return {
    isSecure,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port ? Number(port) : isSecure ? 443 : 80,
    authorization: username ? basic(username, password) : undefined,
  };
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('must have user name and password percent-encoded');
  }
}
