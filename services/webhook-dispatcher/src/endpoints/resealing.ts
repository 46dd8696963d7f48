// Brings all secrets under the newest sealing key, so that the older ones can be taken out of the configuration. Every
// replica does it at its start; together they take turns at the rows, and what one has done the next leaves alone.
import type { Logger } from '@na/service-host';
import type { DataSource } from 'typeorm';
import type { PreviousSecret } from './endpoint.entity.js';
import { sealedVersion, type SecretBox } from './secret-box.js';

interface SealedRow {
  id: string;
  sealed_secret: Buffer;
  previous_secrets: PreviousSecret[];
}

const batchSize = 100;

/** Deleted endpoints too: nothing may stay that needs an old key. */
export async function resealSecrets(database: DataSource, secrets: SecretBox, logger: Logger): Promise<void> {
  let resealed = 0;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const batch: { last?: string; resealed: number } = await resealBatch(database, secrets, logger, after);
    after = batch.last;
    resealed += batch.resealed;
  }
  if (resealed > 0) logger.info({ endpoints: resealed, key_version: secrets.newest }, 'secrets resealed with the newest key');
}

async function resealBatch(database: DataSource, secrets: SecretBox, logger: Logger, after: string) {
  return database.transaction(async (tx) => {
    const rows = await tx.query<SealedRow[]>(
      `SELECT id, sealed_secret, previous_secrets FROM endpoints
       WHERE id > $1 AND (get_byte(sealed_secret, 0) < $2
         OR EXISTS (SELECT FROM jsonb_array_elements(previous_secrets) p WHERE get_byte(decode(p ->> 'sealed', 'base64'), 0) < $2))
       ORDER BY id LIMIT ${batchSize} FOR UPDATE`,
      [after, secrets.newest],
    );
    const resealed = rows.flatMap((row) => resealRow(row, secrets, logger));
    await tx.query(
      `UPDATE endpoints e SET sealed_secret = r.sealed_secret, previous_secrets = r.previous_secrets
       FROM unnest($1::text[], $2::bytea[], $3::jsonb[]) AS r (id, sealed_secret, previous_secrets) WHERE e.id = r.id`,
      [resealed.map(({ id }) => id), resealed.map((row) => row.sealed_secret), resealed.map((row) => JSON.stringify(row.previous_secrets))],
    );
    return { last: rows.at(-1)?.id, resealed: resealed.length };
  });
}

/** One that does not open must not keep the service from starting: it is the operator's to mend, and only its own deliveries suffer. */
function resealRow({ id, sealed_secret, previous_secrets }: SealedRow, secrets: SecretBox, logger: Logger): SealedRow[] {
  const reseal = (sealed: Buffer) => (sealedVersion(sealed) < secrets.newest ? secrets.seal(secrets.open(sealed, id), id) : sealed);
  try {
    const previous = previous_secrets.map(({ sealed, until }) => ({ sealed: reseal(Buffer.from(sealed, 'base64')).toString('base64'), until }));
    return [{ id, sealed_secret: reseal(sealed_secret), previous_secrets: previous }];
  } catch (error) {
    logger.error({ err: error, endpoint: id }, 'a secret could not be resealed');
    return [];
  }
}
