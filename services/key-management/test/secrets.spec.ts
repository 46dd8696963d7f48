import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLogger } from '@na/service-host';
import { FakeGateway } from './fake-gateway.js';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

const logLines: string[] = [];
/** Every message on the bus, by its subject. */
const onTheBus: { subject: string; data: Buffer }[] = [];

let service: KeyManagementBed;
beforeAll(async () => {
  service = await KeyManagementBed.start({ keyLeaseMs: 30_000 }, createLogger('key-management', 'trace', { write: (line) => void logLines.push(line) }));
  service.bed.bus.connection.subscribe('>', { callback: (_error, { subject, data }) => void onTheBus.push({ subject, data: Buffer.from(data) }) });
  await service.sql.query('CREATE TABLE outbox_copy AS TABLE outbox WITH NO DATA');
  await service.sql.query(`
    CREATE RULE keep AS ON INSERT TO outbox
    DO ALSO INSERT INTO outbox_copy (message_id, subject, body) VALUES (NEW.message_id, NEW.subject, NEW.body)`);
  await service.sql.query('GRANT ALL ON outbox_copy TO na_key_management');
});
afterAll(() => service.stop());

/** As itself, and as it would look wherever bytes are written as text. */
function formsOf(bytes: Buffer): string[] {
  return [bytes.toString('latin1'), bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
}

async function macsOf(keyId: string): Promise<Buffer[]> {
  const both = 'SELECT unnest(ARRAY[secret_mac, previous_secret_mac]) AS mac FROM keys WHERE id = $1';
  const { rows } = await service.sql.query<{ mac: Buffer }>(both, [keyId]);
  return rows.map(({ mac }) => mac);
}

test('neither secrets nor what is derived from them are in the audit log, the outbox, events, the feed, answers or logs', async () => {
  const gateway = await FakeGateway.start(service, (self, question) => self.applied(question));
  const { key, secret } = await service.newKey(await service.newWorkspace());
  const { secret: next } = await service.rotate(key, { overlapSeconds: 60 });
  await service.update(key, { name: 'Renamed', scopes: ['pages:read'] });
  await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256('guess') });
  const macs = await macsOf(key.id);
  await service.keys.revokeLeakedKey({ keyId: key.id, secretDigest: sha256(secret), address: '198.51.100.4', requestId: 'req_9' });
  await service.sql.query('ALTER TABLE audit_log RENAME TO audit_log_gone');
  await expect(service.newKey(key.workspaceId)).rejects.toMatchObject({ code: 'internal' });
  await service.sql.query('ALTER TABLE audit_log_gone RENAME TO audit_log');
  await service.bed.nextEvent('key.revoked', key.workspaceId);
  await gateway.stop();

  const { rows } = await service.sql.query<{ text: string }>(`
    SELECT 'audit ' || audit_log::text AS text FROM audit_log WHERE target = $1
    UNION ALL SELECT 'outbox ' || encode(body, 'escape') || encode(body, 'hex') FROM outbox_copy`, [key.id]);
  const stored = rows.map(({ text }) => text).join('\n');
  expect(stored.match(/^(audit|outbox) /gm)).toHaveLength(4 + 7);
  expect(logLines.join()).toContain('audit_log');

  const isRequest = ({ subject }: { subject: string }) => subject.startsWith('na.rpc.');
  const told = onTheBus.filter((message) => !isRequest(message)).map(({ data }) => data.toString('latin1')).join('\n');
  for (const kind of ['na.rpc', 'na.events', 'na.keys', 'na.gateways']) expect(onTheBus.some(({ subject }) => subject.startsWith(`${kind}.`))).toBe(true);
  for (const place of [stored, told, logLines.join('\n')]) {
    for (const bytes of [...[secret, next].flatMap((text) => [Buffer.from(text), sha256(text)]), ...macs]) {
      for (const form of formsOf(bytes)) expect(place).not.toContain(form);
    }
  }
  const requests = onTheBus.filter(isRequest).map(({ data }) => data.toString('latin1')).join('\n');
  for (const bytes of [Buffer.from(secret), Buffer.from(next), ...macs]) expect(requests).not.toContain(bytes.toString('latin1'));
});
