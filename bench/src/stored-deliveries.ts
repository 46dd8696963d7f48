// Millions of deliveries in the dispatcher's tables within minutes: made by PostgreSQL itself, day by day, each day's
// partition filled before it gets its indexes. One workspace has 84 % of them, all succeeded but for a few single rows; one
// has the ordinary mixture; one has an endpoint that is dead; 300 share the rest.
import type pg from 'pg';

export interface StoredDeliveries {
  workspaces: { big: string; mixed: string; dead: string; small: string };
  /** In the big workspace: with 60 % of its deliveries, and with 1 %. */
  endpoints: { large: string; little: string; failing: string };
  /** The single delivery of the big workspace that is unlike all others in one thing. */
  rare: { eventId: string; status: string; responseCode: number; eventType: string };
}

const dayMs = 86_400_000;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

/** Of each day `total / days` deliveries, today included, with their events and their last attempts. */
export async function storeDeliveries(client: pg.Client, total: number, days: number): Promise<StoredDeliveries> {
  await client.query(`SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; ${makers}`);
  await client.query(endpointRows);
  const dates = Array.from({ length: days }, (_, ago) => dayOf(Date.now() - (days - 1 - ago) * dayMs));
  for (const date of dates) await storeDay(client, date, Math.ceil(total / days));
  const middle = dates[Math.floor(days / 3)]!.replaceAll('-', '');
  const rare = await makeRare(client, middle);
  for (const table of tables) await client.query(`VACUUM ANALYZE ${table}`);
  const id = async (kind: string, seed: string) => (await client.query<{ id: string }>('SELECT made_id($1, $2, $3) AS id', [kind, longAgo, seed])).rows[0]!.id;
  const workspace = (name: string) => id('ws', name);
  return {
    workspaces: { big: await workspace('big'), mixed: await workspace('mixed'), dead: await workspace('dead'), small: await workspace('small 100') },
    endpoints: { large: await id('we', '0'), little: await id('we', '4'), failing: await id('we', '5') },
    rare,
  };
}

const tables = ['events', 'deliveries', 'attempts'];
const longAgo = '2026-01-01T00:00:00Z';

/** Ids as they are: the time in base 32, then what is random. */
const makers = `
  CREATE FUNCTION made_id(kind text, at timestamptz, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT kind || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', ((ms >> bit) & 31)::integer + 1, 1), '' ORDER BY bit DESC)
      || 'e' || substr(random, 1, 2) || '8' || substr(random, 3, 12)
    FROM (SELECT (extract(epoch FROM at) * 1000)::bigint AS ms, md5(seed) AS random) AS parts, generate_series(0, 45, 5) AS bit GROUP BY random
  $$;
  CREATE FUNCTION made_workspace(endpoint integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN endpoint < 5 THEN 'big' WHEN endpoint < 8 THEN 'mixed' WHEN endpoint = 8 THEN 'dead' ELSE 'small ' || endpoint END
  $$`;

/** Their secrets begin as if sealed with the only key there is, and are never opened: nothing is sent. */
const endpointRows = `
  CREATE TABLE made_endpoints AS
    SELECT number, made_id('we', '${longAgo}', number::text) AS id, made_id('ws', '${longAgo}', made_workspace(number)) AS workspace_id
    FROM generate_series(0, 308) AS number;
  INSERT INTO endpoints (id, workspace_id, url, description, event_types, retry_policy, timeout_ms, status, disabled_at, sealed_secret, created_at)
    SELECT id, workspace_id, 'http://127.0.0.1:9/', '', '{*}', '{"baseSeconds":5,"factor":4,"maxSeconds":43200,"maxAttempts":12}',
      15000, 'disabled', '${longAgo}', '\\x01', '${longAgo}' FROM made_endpoints`;

async function storeDay(client: pg.Client, date: string, count: number): Promise<void> {
  const day = date.replaceAll('-', '');
  const { rows } = await client.query<{ name: string | null }>('SELECT to_regclass($1) AS name', [`deliveries_${day}`]);
  const isNew = rows[0]!.name === null;
  if (isNew) for (const table of tables) await client.query(`CREATE TABLE ${table}_${day} (LIKE ${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await client.query(deliveriesOf(day, date, count));
  await client.query(`
    INSERT INTO events_${day} (id, event_at, workspace_id, type, payload)
      SELECT event_id, event_at, workspace_id, event_type, '{"data":{"page_id":"page_1"}}' FROM deliveries_${day};
    INSERT INTO attempts_${day} (delivery_id, event_at, number, id, started_at, duration_ms, response_code, response_headers, response_body)
      SELECT id, event_at, attempts, replace(id, 'dlv', 'att'), event_at, 12, response_code, '{}', 'ok' FROM deliveries_${day} WHERE attempts > 0`);
  const bounds = `FOR VALUES FROM ('${date}T00:00:00Z') TO ('${dayOf(Date.parse(date) + dayMs)}T00:00:00Z')`;
  if (isNew) for (const table of tables) await client.query(`ALTER TABLE ${table} ATTACH PARTITION ${table}_${day} ${bounds}`);
}

/** `h` decides what each row is like: the same in every run, and without a pattern in time. */
function deliveriesOf(day: string, date: string, count: number): string {
  return `
    INSERT INTO deliveries_${day} (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts,
                                   response_code, created_at, last_attempt_at, next_attempt_at, due_at, completed_at)
    SELECT made_id('dlv', at, 'd' || seed), at, workspace_id, id, made_id('evt', at, 'e' || seed), event_type, status,
      CASE status WHEN 'pending' THEN 0 WHEN 'retrying' THEN 5 WHEN 'failed' THEN 12 ELSE 1 END, 12,
      CASE WHEN status = 'succeeded' THEN CASE number WHEN 2 THEN 204 ELSE 200 END
           WHEN status <> 'pending' THEN (ARRAY[500, 503, 502, NULL])[h / 13 % 4 + 1] END,
      at, CASE WHEN status <> 'pending' THEN at END, CASE status WHEN 'retrying' THEN later END, CASE WHEN status IN ('pending', 'retrying') THEN later END,
      CASE WHEN status IN ('succeeded', 'failed') THEN at END
    FROM (
      SELECT *, now() + interval '1 day' + h % 86400 * interval '1 second' AS later,
        CASE WHEN h / 7 % 1000 < 700 THEN 'page.updated' WHEN h / 7 % 1000 < 850 THEN 'page.created' WHEN h / 7 % 1000 < 980 THEN 'goal.converted'
             WHEN h / 7 % 1000 < 999 THEN 'page.deleted' ELSE 'key.created' END AS event_type,
        CASE WHEN number BETWEEN 5 AND 7 THEN CASE WHEN h / 11 % 100 < 96 THEN 'succeeded' WHEN h / 11 % 100 < 99 THEN 'failed' ELSE 'retrying' END
             WHEN number <> 8 THEN 'succeeded' WHEN at < now() - interval '2 days' THEN 'failed'
             WHEN h / 11 % 100 < 90 THEN 'pending' ELSE 'retrying' END AS status
      FROM (
        SELECT *, '${date} ' || i AS seed,
          CASE WHEN i % 100 < 84 THEN CASE WHEN h % 100 < 60 THEN 0 WHEN h % 100 < 85 THEN 1 WHEN h % 100 < 95 THEN 2 WHEN h % 100 < 99 THEN 3 ELSE 4 END
               WHEN i % 100 < 92 THEN 5 + h % 3 WHEN i % 100 < 96 THEN 8 ELSE 9 + h % 300 END AS number
        FROM (SELECT i, date_trunc('milliseconds', timestamptz '${date}T00:00:00Z' + i * interval '1 day' / ${count}) AS at,
                abs(hashint8(i + 1000000 * (date '${date}' - date '2026-01-01'))) AS h FROM generate_series(0, ${count} - 1) AS i) AS numbered
      ) AS placed JOIN made_endpoints USING (number)
    ) AS shaped`;
}

/** Four rows of the largest endpoint, each made unlike all others in one thing. */
async function makeRare(client: pg.Client, day: string): Promise<StoredDeliveries['rare']> {
  const { rows } = await client.query<{ id: string; event_id: string }>(
    `SELECT id, event_id FROM deliveries_${day} WHERE endpoint_id = made_id('we', '${longAgo}', '0') OFFSET 500 LIMIT 4`,
  );
  const change = (index: number, assignment: string) => client.query(`UPDATE deliveries_${day} SET ${assignment} WHERE id = $1`, [rows[index]!.id]);
  await change(0, `status = 'failed', attempts = 12, response_code = 500`);
  await change(1, 'response_code = 202');
  await change(2, `event_type = 'webhook.test'`);
  return { eventId: rows[3]!.event_id, status: 'failed', responseCode: 202, eventType: 'webhook.test' };
}
