// Asks a server as fast as it answers, from a process of its own so that it takes no time from anybody. Forked by gateway.ts,
// which sends orders and is sent what came of them.
import { Pool } from 'undici';

export interface LoadOrder {
  url: string;
  path: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
}

export interface LoadResult {
  answered: number;
  perSecond: number;
  /** Answers that were not 200. */
  refused: number;
}

process.on('message', (order: LoadOrder) => void load(order).then((result) => process.send!(result)));

async function load({ url, path, headers, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const start = performance.now();
  const end = start + seconds * 1_000;
  let [answered, refused] = [0, 0];
  const ask = async () => {
    while (performance.now() < end) {
      const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
      await body.dump();
      answered += 1;
      if (statusCode !== 200) refused += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, ask));
  const perSecond = answered / ((performance.now() - start) / 1_000);
  await pool.close();
  return { answered, refused, perSecond };
}
