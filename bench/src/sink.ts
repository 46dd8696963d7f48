// A customer's server for benchmarks, as a process of its own: answers 200 to everything, counts, and keeps how long each
// event took from its publication. Told over IPC what to count, and which paths to treat badly. It speaks just enough
// HTTP/1.1 for a client that sends a Content-Length, so that little of the machine goes to it instead of what is measured.
import { createServer, type AddressInfo, type Socket } from 'node:net';

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
const misbehaving = new Set<Socket>();

const endOfHead = Buffer.from('\r\n\r\n');
const ok = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let length = requestLength(rest); length !== undefined && length <= rest.length; length = requestLength(rest)) {
      answer(socket, rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
});

/** Of the request at the beginning, its body included; undefined while its head is not complete. */
function requestLength(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(endOfHead);
  if (headEnd < 0) return undefined;
  const bodyLength = Number(/content-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1] ?? 0);
  return headEnd + endOfHead.length + bodyLength;
}

function answer(socket: Socket, request: Buffer): void {
  const { faults } = order;
  const endpoint = faults ? Number(/^POST \/hook\/(\d+)/.exec(request.toString('latin1', 0, 40))?.[1] ?? Infinity) : Infinity;
  if (faults && endpoint < faults.below) return misbehave(socket, faults.fault);
  socket.write(ok);
  if (!faults || endpoint >= faults.countFrom) count(request);
}

function count(request: Buffer): void {
  const now = performance.timeOrigin + performance.now();
  const at = request.indexOf('"sent_at=');
  latenciesMs.push(at < 0 ? 0 : now - parseFloat(request.toString('latin1', at + 9, at + 35)));
  if (latenciesMs.length === order.expect) process.send!({ type: 'reached', latenciesMs } satisfies SinkMessage);
}

function misbehave(socket: Socket, fault: Fault): void {
  misbehaving.add(socket);
  socket.on('close', () => misbehaving.delete(socket));
  if (fault === 'reset') socket.resetAndDestroy();
  if (fault !== 'drip') return;
  socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
  const timer = setInterval(() => socket.write('1\r\n.\r\n'), 500);
  socket.on('close', () => clearInterval(timer));
}

server.listen(0, '127.0.0.1', () => process.send!({ type: 'listening', port: (server.address() as AddressInfo).port } satisfies SinkMessage));
process.on('message', (next: SinkOrder) => {
  // What one run left hanging must not be there in the next.
  for (const socket of misbehaving) socket.destroy();
  latenciesMs = [];
  order = next;
});
process.on('disconnect', () => process.exit());
