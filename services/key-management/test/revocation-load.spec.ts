import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { typeid } from 'typeid-js';
import { FakeGateway } from './fake-gateway.js';
import { KeyManagementBed } from './key-management.bed.js';

/** Longer than the test takes on a busy machine: nobody renews here. */
const keyLeaseMs = 300_000;
const timeoutMs = 100_000;

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start({ keyLeaseMs })));
afterAll(() => service.stop());

/** Copies of one key under ids of their own: to make them one by one would be most of the test. */
async function copiesOfKey(count: number): Promise<{ workspaceId: string; ids: string[] }> {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  const ids = Array.from({ length: count }, () => typeid('key').toString());
  await service.sql.query(
    `INSERT INTO keys SELECT copy.* FROM keys, unnest($2::text[]) AS new_id, jsonb_populate_record(keys, jsonb_build_object('id', new_id)) AS copy
     WHERE keys.id = $1`,
    [key.id, ids],
  );
  return { workspaceId, ids };
}

test('of hundreds of revocations at once each is answered after both gateways have applied it, whose leases go on', async () => {
  const { workspaceId, ids } = await copiesOfKey(300);
  const applied = new Set<string>();
  const start = () => FakeGateway.start(service, (gateway, question) => {
    applied.add(`${gateway.gatewayId} ${gateway.asked.at(-1)!.keyId}`);
    gateway.applied(question);
  });
  const gateways = [await start(), await start()];
  const caller = service.operator(workspaceId);
  await Promise.all(ids.map(async (id) => {
    const { key } = await service.keys.revokeKey({ caller, id }, { timeoutMs });
    expect(key!.status).toBe('revoked');
    for (const { gatewayId } of gateways) expect(applied).toContain(`${gatewayId} ${id}`);
  }));
  for (const gateway of gateways) await expect(gateway.renew()).resolves.toBeUndefined();
}, 120_000);
