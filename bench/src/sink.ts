// A customer's server for benchmarks, as a process of its own: answers 200 to everything, counts, and keeps how long each
// event took from its publication. Told over IPC what to count, and which paths to treat badly.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault = 'hang' | 'drip' | 'reset';

export type SinkMessage = { type: 'listening'; port: number } | { type: 'reached'; latenciesMs: number[] };

export interface SinkOrder {
  /** Report once so many requests have come since the order. */
  expect: number;
  /** Paths `/hook/<n>` with n below `below` are treated badly; only those from `countFrom` on are counted. */
  faults?: { fault: Fault; below: number; countFrom: number };
}

let order: SinkOrder = { expect: Infinity };
let latenciesMs: number[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const endpoint = Number(/\/hook\/(\d+)/.exec(request.url ?? '')?.[1] ?? Infinity);
    const { faults } = order;
    if (faults && endpoint < faults.below) return misbehave(response, faults.fault);
    response.writeHead(200).end();
    if (!faults || endpoint >= faults.countFrom) count(Buffer.concat(chunks).toString('latin1'));
  });
});

function count(body: string): void {
  const now = performance.timeOrigin + performance.now();
  const sentAt = /"sent_at=([\d.]+)/.exec(body)?.[1];
  latenciesMs.push(now - Number(sentAt ?? now));
  if (latenciesMs.length === order.expect) process.send!({ type: 'reached', latenciesMs } satisfies SinkMessage);
}

function misbehave(response: ServerResponse, fault: Fault): void {
  if (fault === 'reset') response.socket?.resetAndDestroy();
  if (fault !== 'drip') return;
  response.writeHead(200);
  const timer = setInterval(() => response.write('.'), 500);
  response.on('close', () => clearInterval(timer));
}

server.listen(0, '127.0.0.1', () => process.send!({ type: 'listening', port: (server.address() as AddressInfo).port } satisfies SinkMessage));
process.on('message', (next: SinkOrder) => {
  latenciesMs = [];
  order = next;
});
process.on('disconnect', () => process.exit());
