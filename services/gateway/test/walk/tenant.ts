// A workspace of its own for one step of the walk, with a key that may do everything, and whatever things the step needs:
// each is made by the operation that the document has for it, from that operation's own example.
import { exampleId } from '../../src/openapi/examples.js';
import { eventually, type TestSystem } from '@na/testing';
import { scopes } from '@na/contracts';
import type { Answer } from './conformity.js';
import { makerOf, readerOf, type DescribedOperation, type Json } from './described-operations.js';

export interface Sent {
  headers?: Record<string, string>;
  query?: string;
  /** As it is when it is text, else as JSON. */
  body?: Json;
  /** In place of the ids of this tenant's things. */
  ids?: Record<string, string>;
}

export class Tenant {
  private readonly things = new Map<string, Promise<string>>();

  private constructor(
    private readonly system: TestSystem,
    readonly workspaceId: string,
    readonly token: string,
    readonly keyId: string,
  ) {}

  static async create(system: TestSystem): Promise<Tenant> {
    const { token, workspaceId } = await system.createWorkspace({ scopes: [...scopes] });
    return new Tenant(system, workspaceId, token, `key_${token.split('_')[1]}`);
  }

  /** The headers of a good request to the operation. */
  headersFor({ access }: DescribedOperation): Record<string, string> {
    if (access === 'public') return {};
    const token = access === 'operator' ? this.system.operatorToken : this.token;
    return { authorization: `Bearer ${token}`, ...(access === 'key' && { 'x-workspace-id': this.workspaceId }) };
  }

  /** A key of this workspace, made with the tenant's own. */
  async newKey(wanted: object): Promise<{ id: string; secret: string }> {
    const { status, body } = await this.system.api('POST', '/keys', { token: this.token, workspaceId: this.workspaceId }, { name: 'Walker', ...wanted });
    if (status !== 201) throw new Error(`The key could not be made: ${JSON.stringify(body)}`);
    return body;
  }

  /** Things of this tenant that the operation is about, by the prefix of their ids. */
  async thingsFor({ ids }: DescribedOperation, body: Json): Promise<Record<string, string>> {
    const prefixes = [...ids.map(([, prefix]) => prefix), ...prefixesIn(body)];
    const found: [string, string][] = [];
    for (const prefix of prefixes) found.push([prefix, await this.thing(prefix)]);
    return Object.fromEntries(found);
  }

  /** The id of a thing with this prefix; there is one from the first time it is asked for. */
  thing(prefix: string): Promise<string> {
    if (prefix === 'ws') return Promise.resolve(this.workspaceId);
    const made = this.things.get(prefix) ?? this.make(prefix);
    this.things.set(prefix, made);
    return made;
  }

  private async make(prefix: string): Promise<string> {
    const maker = makerOf(prefix);
    const { status, body } = await this.call(maker, { body: maker.body?.examples[0]?.[1] });
    const id = new RegExp(`"(${prefix}_[0-9a-z]{26})"`).exec(JSON.stringify(body))?.[1];
    if (status >= 300 || !id) throw new Error(`${maker.name} made nothing with the id ${prefix}_…: ${JSON.stringify(body)}`);
    await this.untilThere(prefix, id);
    return id;
  }

  /** Some things are there a moment after they were answered, such as deliveries. */
  private async untilThere(prefix: string, id: string): Promise<void> {
    const reader = readerOf(prefix);
    if (!reader) return;
    const around = await this.thingsFor({ ...reader, ids: reader.ids.slice(0, -1) }, undefined);
    await eventually(async () => {
      const { status } = await this.call(reader, { ids: { ...around, [prefix]: id } });
      if (status !== 200) throw new Error(`${id} is not there yet: ${status}`);
    });
  }

  /** Ids in the examples stand for things of this tenant. */
  async call(operation: DescribedOperation, { headers = this.headersFor(operation), query = '', body, ids }: Sent = {}): Promise<Answer> {
    const things = ids ?? (await this.thingsFor(operation, body));
    const path = operation.ids.reduce((text, [name, prefix]) => text.replace(`{${name}}`, things[prefix] ?? exampleId(prefix)), operation.path);
    return this.send(operation.method, path + query, headers, withIds(body, things));
  }

  async send(method: string, path: string, headers: Record<string, string>, body?: Json): Promise<Answer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const typed = text === undefined || headers['content-type'] ? headers : { ...headers, 'content-type': 'application/json' };
    const response = await fetch(this.system.gatewayUrl + path, { method, headers: typed, body: text });
    const content = await response.text();
    return { status: response.status, headers: response.headers, body: content ? JSON.parse(content) : undefined };
  }
}

const exampleIds = /"([a-z]+)_01jq8x3v6kf5hs2m9rb4cn7dtg"/g;

export function prefixesIn(body: Json): string[] {
  return [...(JSON.stringify(body) ?? '').matchAll(exampleIds)].map(([, prefix]) => prefix!);
}

function withIds(body: Json, things: Record<string, string>): Json {
  if (typeof body !== 'object') return body;
  return JSON.parse(JSON.stringify(body).replace(exampleIds, (id, prefix: string) => (things[prefix] ? `"${things[prefix]}"` : id)));
}
