// The page of a problem's `type` address as a person in a browser reads it. Pure. Its texts are ours; nothing of a request is in it.
import { createHash } from 'node:crypto';

export interface ProblemDescription {
  type: string;
  title: string;
  status: number;
  code: string;
  occurs: string;
  remedy: string;
}

const style =
  'body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}' +
  'dt{font-weight:600;margin-top:1rem}dd{margin:0}';

/** Lets in the one style above and nothing else. */
export const problemPagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`;

export function problemPage({ title, status, code, occurs, remedy }: ProblemDescription): string {
  const explained = `<dt>When it comes</dt><dd>${escaped(occurs)}</dd><dt>What to do</dt><dd>${escaped(remedy)}</dd>`;
  return page(title, `<p><code>${code}</code>, answered with status ${status}</p><dl>${explained}</dl>`);
}

export function problemIndexPage(problems: ProblemDescription[]): string {
  const entries = problems.map(({ type, title, status, code }) => `<dt><a href="${type}"><code>${code}</code></a></dt><dd>${status}: ${escaped(title)}</dd>`);
  return page('Problems', `<dl>${entries.join('')}</dl>`);
}

function page(title: string, content: string): string {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style>`;
  return `<!doctype html><html lang="en">${head}<h1>${escaped(title)}</h1>${content}</html>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
