// Sends one request to the public API, and says in words what a problem document says.
import type { ApiRequest } from './commands.ts';
import type { Row } from './table.ts';

export interface Access {
  url: string;
  token: string;
}

/** The API refused, or could not be reached. */
export class Refusal extends Error {}

interface Problem {
  detail?: string;
  code?: string;
  request_id?: string;
  errors?: { pointer: string; detail: string }[];
}

/** @throws Refusal */
export async function send({ url, token }: Access, { method, path, workspaceId, body }: ApiRequest): Promise<Row> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(workspaceId === undefined ? {} : { 'x-workspace-id': workspaceId }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) }).catch((error: unknown) => {
    throw new Refusal(`The API at ${url} can not be reached. Is it running? (${reasonOf(error)})`);
  });
  const answer = (await response.json().catch(() => ({}))) as Row;
  if (!response.ok) throw new Refusal(describe(response.status, answer));
  return answer;
}

function describe(status: number, { detail = 'No reason was given.', code, request_id, errors = [] }: Problem): string {
  const faults = errors.map(({ pointer, detail: fault }) => `\n  ${pointer}: ${fault}`).join('');
  return `${detail} (${[status, code, request_id].filter(Boolean).join(', ')})${faults}`;
}

function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code ?? (error as Error).message;
}
