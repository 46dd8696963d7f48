// Cuts secrets out of whatever is written for others: logs, spans, refusals. Pure.

/**
 * API keys and webhook secrets, also with escapes as in a URL, and passwords or tokens in URLs, in whatever text they come
 * along. What stands between `://` and `@` must not reach across the end of a host or of a JSON string: the line must stay JSON.
 */
const secretText = /(nak_[0-9A-Za-z]+_|whsec_)[0-9A-Za-z+/=_%-]+|(?<=:\/\/[^\s:/@"?#\\]*:)[^\s/@"?#\\]+(?=@)|(?<=:\/\/)[^\s:/@"?#\\]+(?=@)/g;

export function redact(text: string): string {
  return text.replace(secretText, (_match, prefix: string | undefined) => `${prefix ?? ''}[redacted]`);
}
