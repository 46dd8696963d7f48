// What can be asked for in the terminal, and which request of the public API each command is. Pure: sending is for api.ts.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { durationMs } from './duration.ts';

export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Below /api/v1. */
  path: string;
  workspaceId?: string;
  body?: object;
}

export interface Command {
  request: ApiRequest;
  /** Columns of the answer that are worth a terminal's width. */
  columns: string[];
  asJson: boolean;
}

/** The command line is not one of ours; the message says what is wrong with it. */
export class UsageError extends Error {}

export const usage = `Usage: npm run keys -- <command> [options]

  workspaces                               all workspaces
  create-workspace --name <name>           [--time-zone Europe/Berlin] [--owner <e-mail>]…
  list    --workspace ws_…                 [--status active|not_yet_valid|disabled|expired|revoked]
  create  --workspace ws_… --name <name>   --access read_only|read_write, or --scope <scope>…
                                           [--expires 90d|<RFC 3339>] [--allowed-ip <address or CIDR>]…
  rotate  --workspace ws_… key_…           [--overlap 24h]: how long the secret before works on; 24h if left
                                           out, 0 to end it at once, 7d at most
  revoke  --workspace ws_… key_…

Options of all: --json. Environment: NA_URL and OPERATOR_TOKEN. With neither, those of npm start in this checkout;
with NA_URL alone no token is taken from there: set OPERATOR_TOKEN with it.
Instead of the operator's, the token may be a key with the scopes that the command needs.`;

const options = {
  workspace: { type: 'string' },
  name: { type: 'string' },
  'time-zone': { type: 'string' },
  owner: { type: 'string', multiple: true },
  status: { type: 'string' },
  access: { type: 'string' },
  scope: { type: 'string', multiple: true },
  expires: { type: 'string' },
  'allowed-ip': { type: 'string', multiple: true },
  overlap: { type: 'string' },
  json: { type: 'boolean' },
} satisfies ParseArgsConfig['options'];

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
type Option = keyof Values;

interface Spec {
  takes: Option[];
  /** The id of a key comes after the command. */
  takesKey: boolean;
  columns: string[];
  request: (values: Values, keyId: string, now: Date) => ApiRequest;
}

const keyColumns = ['id', 'name', 'status', 'last_four', 'expires_at', 'last_used_at'];
const workspaceColumns = ['id', 'name', 'time_zone', 'owner_emails', 'suspended_at'];

const specs: Record<string, Spec> = {
  workspaces: { takes: [], takesKey: false, columns: workspaceColumns, request: () => ({ method: 'GET', path: '/workspaces?limit=100' }) },
  'create-workspace': {
    takes: ['name', 'time-zone', 'owner'],
    takesKey: false,
    columns: workspaceColumns,
    request: (values) => ({
      method: 'POST',
      path: '/workspaces',
      body: { name: required(values, 'name'), time_zone: values['time-zone'], owner_emails: values.owner },
    }),
  },
  list: {
    takes: ['workspace', 'status'],
    takesKey: false,
    columns: keyColumns,
    request: (values) => ({
      method: 'GET',
      path: `/keys?limit=100${values.status === undefined ? '' : `&status=${encodeURIComponent(values.status)}`}`,
      workspaceId: workspaceOf(values),
    }),
  },
  create: {
    takes: ['workspace', 'name', 'access', 'scope', 'expires', 'allowed-ip'],
    takesKey: false,
    columns: keyColumns,
    request: (values, _keyId, now) => ({
      method: 'POST',
      path: '/keys',
      workspaceId: workspaceOf(values),
      body: {
        name: required(values, 'name'),
        access: values.access,
        scopes: values.scope,
        expires_at: values.expires === undefined ? undefined : momentOf(values.expires, now),
        allowed_ips: values['allowed-ip'],
      },
    }),
  },
  rotate: {
    takes: ['workspace', 'overlap'],
    takesKey: true,
    columns: [...keyColumns, 'previous_secret_expires_at'],
    request: (values, keyId) => ({
      method: 'POST',
      path: `/keys/${keyId}/rotate`,
      workspaceId: workspaceOf(values),
      body: { overlap_seconds: values.overlap === undefined ? undefined : overlapMs(values.overlap) / 1_000 },
    }),
  },
  revoke: {
    takes: ['workspace'],
    takesKey: true,
    columns: [...keyColumns, 'revoked_at'],
    request: (values, keyId) => ({ method: 'DELETE', path: `/keys/${keyId}`, workspaceId: workspaceOf(values) }),
  },
};

/** @throws UsageError */
export function readCommand(argv: string[], now: Date): Command {
  const { positionals, values } = parsed(argv);
  const [name = '', keyId, ...rest] = positionals;
  const spec = Object.hasOwn(specs, name) ? specs[name]! : undefined;
  if (!spec) throw new UsageError(name === '' ? 'Which command?' : `There is no command "${name}".`);
  const foreign = Object.keys(values).find((option) => option !== 'json' && !spec.takes.includes(option as Option));
  if (foreign !== undefined) throw new UsageError(`${name} does not take --${foreign}.`);
  if (rest.length > 0 || (keyId !== undefined && !spec.takesKey)) throw new UsageError(`${name} does not take "${rest[0] ?? keyId}".`);
  if (spec.takesKey && !/^key_\w{26}$/.test(keyId ?? '')) throw new UsageError(`${name} needs the id of a key, such as key_01j….`);
  return { request: spec.request(values, keyId ?? '', now), columns: spec.columns, asJson: values.json ?? false };
}

function parsed(argv: string[]) {
  try {
    const { tokens, ...line } = parseArgs({ args: argv, options, allowPositionals: true, tokens: true });
    refuseRepeated(tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])));
    return line;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Of two values one would go unheeded, and perhaps the one that was meant. */
function refuseRepeated(names: string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) < index && !('multiple' in options[name as Option]));
  if (repeated !== undefined) throw new UsageError(`Give --${repeated} once.`);
}

function required(values: Values, option: 'workspace' | 'name'): string {
  const value = values[option];
  if (value === undefined) throw new UsageError(`Give --${option}.`);
  return value;
}

function workspaceOf(values: Values): string {
  const id = required(values, 'workspace');
  if (!/^ws_\w{26}$/.test(id)) throw new UsageError(`--workspace is "${id}", which is not the id of a workspace such as ws_01j….`);
  return id;
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** A moment as RFC 3339, or how far it is from now. */
function momentOf(text: string, now: Date): string {
  const length = durationMs(text);
  if (length !== undefined) return new Date(now.getTime() + length).toISOString();
  if (rfc3339.test(text)) return text;
  throw new UsageError(`--expires is "${text}", which is neither a length such as 12h or 90d nor a moment such as 2027-01-01T00:00:00Z.`);
}

/** 0 needs no unit. */
function overlapMs(text: string): number {
  const length = text === '0' ? 0 : durationMs(text);
  if (length === undefined) throw new UsageError(`--overlap is "${text}", which is neither 0 nor a length such as 30m, 24h or 7d.`);
  return length;
}
