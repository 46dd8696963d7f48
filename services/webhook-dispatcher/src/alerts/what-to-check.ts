// The likeliest cause of an endpoint's failures, in a sentence for the one who can mend it. Pure.

const byError: Record<string, string> = {
  dns_error: "Check that the URL's host name exists and resolves from the public internet.",
  connection_refused: 'Check that your server runs and listens on the port in the URL.',
  connection_reset: 'Check whether a proxy or your server breaks connections off before it has answered.',
  host_unreachable: 'Check that your server can be reached from the public internet, and its firewall.',
  tls_error: 'Check that the certificate is valid, not expired, complete with its chain, and made for this host name.',
  timeout: 'Answer sooner: acknowledge with 2xx first, and do the work afterwards.',
  address_blocked: 'Use a public address: the URL leads to a private or reserved one, which is never contacted.',
  malformed_response: 'Check that an HTTP server answers at this URL and port.',
  response_too_large: 'Answer with fewer or shorter headers: 16 KiB are read.',
};

const byCode: [range: (code: number) => boolean, advice: string][] = [
  [(code) => code >= 300 && code < 400, 'Use the final URL: redirects are never followed.'],
  [(code) => code === 401 || code === 403, 'Check what your server demands: it turns our requests away. Check the signature with the secret it has.'],
  [(code) => code === 404 || code === 405, 'Check the path of the URL, and that your server accepts POST there.'],
  [(code) => code === 410, 'If the endpoint is to be used on, have your server answer something else than 410 Gone; else delete it.'],
  [(code) => code === 413, 'Let your server accept larger bodies.'],
  [(code) => code === 429, 'Raise the limit of your server, or lower rate_limit_per_second of the endpoint.'],
  [(code) => code >= 400 && code < 500, 'Check why your server refuses these requests.'],
  [(code) => code >= 500, "Check your server's log: it failed while it handled the request."],
];

export function whatToCheck(responseCode: number | undefined, error: string | undefined): string {
  const byAnswer = byCode.find(([matches]) => responseCode !== undefined && matches(responseCode))?.[1];
  return byAnswer ?? byError[error ?? ''] ?? 'Check that your server can be reached and answers 2xx.';
}
