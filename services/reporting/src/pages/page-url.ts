// The one form of a page's URL. A page is registered under it and a hit's URL is brought to it, so that a page is found
// by whatever variant a visitor followed. Pure.

/** Longer than any URL that browsers and proxies pass on reliably. */
export const maxUrlLength = 2_048;

/** Parameters that say how a visitor came, not what is shown: campaigns, click ids, and Notion's own mark of a shared link. */
const visitParameter = /^(utm_.*|gclid|dclid|gbraid|wbraid|fbclid|msclkid|mc_cid|mc_eid|pvs)$/i;

/**
 * Lower-cases scheme and host, drops the default port, the fragment, trailing slashes and parameters of the visit, and
 * sorts the parameters that remain.
 * @returns undefined when it is not an absolute http or https URL, carries credentials, or is too long
 */
export function normalisePageUrl(text: string): string | undefined {
  if (text.length > maxUrlLength || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol) || url.username || url.password) return undefined;
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '');
  for (const name of new Set(url.searchParams.keys())) if (visitParameter.test(name)) url.searchParams.delete(name);
  url.searchParams.sort();
  const normalised = url.href.replace(/\?$/, '');
  // Escaping makes nine characters of one: only what is stored says whether it fits into an index.
  return normalised.length > maxUrlLength ? undefined : normalised;
}
