// A customer's server for benchmarks, as a process of its own: answers 200 to everything, counts, and keeps how long each
// event took from its publication. Told over IPC what to report.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type SinkMessage = { type: 'listening'; port: number } | { type: 'reached'; latenciesMs: number[] };
export interface SinkOrder {
  /** Report once so many requests have come since the order. */
  expect: number;
}

let expected = Infinity;
let latenciesMs: number[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const now = performance.timeOrigin + performance.now();
    const sentAt = /"sent_at=([\d.]+)/.exec(Buffer.concat(chunks).toString('latin1'))?.[1];
    latenciesMs.push(now - Number(sentAt ?? now));
    response.writeHead(200).end();
    if (latenciesMs.length === expected) process.send!({ type: 'reached', latenciesMs } satisfies SinkMessage);
  });
});
server.listen(0, '127.0.0.1', () => process.send!({ type: 'listening', port: (server.address() as AddressInfo).port } satisfies SinkMessage));
process.on('message', ({ expect }: SinkOrder) => {
  latenciesMs = [];
  expected = expect;
});
process.on('disconnect', () => process.exit());
