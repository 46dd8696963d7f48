// Ways in which a customer's server misbehaves, for `WebhookReceiver`.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Behaviour } from './webhook-receiver.js';

/** Takes the request and never answers. */
export const hang: Behaviour = () => undefined;

/** These bytes as they are, and the end of the connection. */
export function rawAnswer(...bytes: (string | Buffer)[]): Behaviour {
  return (response) => {
    for (const piece of bytes) response.socket!.write(piece);
    response.socket!.end();
  };
}

/** Bytes that are not HTTP. */
export const malformed: Behaviour = rawAnswer('HELLO THERE\r\n\r\n');

/** Breaks the connection without a byte of an answer. */
export const reset: Behaviour = (response) => void breakOff(response.socket!);

/** Breaks the connection in the middle of the answer's head. */
export const resetMidHead: Behaviour = (response) => {
  response.socket!.write('HTTP/1.1 200 OK\r\nX-Half:', () => breakOff(response.socket!));
};

/** Breaks the connection in the middle of the answer's body. */
export const resetMidBody: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '1000' }).write('only this much', () => breakOff(response.socket!));
};

/** TLS has no way to reset: there it is an end in the middle. */
function breakOff(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

/** The first request of each connection is answered; by the next, the connection is gone. */
export function resetOnReuse(answer: Behaviour, broken: Behaviour = reset): Behaviour {
  const used = new WeakSet<Socket>();
  return (response, request, count) => {
    const behaviour = used.has(response.socket!) ? broken : answer;
    used.add(response.socket!);
    behaviour(response, request, count);
  };
}

/** Answers as if the connection stayed open, and closes it a moment later, when the next request may be on its way. */
export function closeAfter(answer: Behaviour): Behaviour {
  return (response, request, count) => {
    const { socket } = response;
    response.on('finish', () => setImmediate(() => socket!.destroy()));
    answer(response, request, count);
  };
}

/** Sends a byte of an endless body whenever the socket takes one. */
export const endlessBody: Behaviour = (response) => {
  response.writeHead(200);
  keepWriting(response, response, Buffer.alloc(64 * 1024, 'x'));
};

/** Says how long it is going to be, and is. */
export function hugeBody(bytes: number): Behaviour {
  return (response) => {
    response.writeHead(200, { 'content-length': String(bytes) });
    keepWriting(response, response, Buffer.alloc(64 * 1024, 'x'));
  };
}

/** Informational answers, and never a real one. */
export const informationalFlood: Behaviour = (response) => {
  keepWriting(response, response.socket!, Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n'));
};

function keepWriting(response: ServerResponse, to: ServerResponse | Socket, chunk: Buffer): void {
  const more = () => {
    while (!response.destroyed && to.writable && to.write(chunk));
  };
  to.on('drain', more);
  more();
}

/** Head at once, then one byte every `everyMs` milliseconds, for ever. */
export function drip(everyMs: number): Behaviour {
  return (response) => {
    response.writeHead(200);
    repeat(response, everyMs, () => response.write('.'));
  };
}

/** A head that never ends, one byte every `everyMs` milliseconds. */
export function dripHead(everyMs: number): Behaviour {
  return (response) => {
    response.socket!.write('HTTP/1.1 200 OK\r\nX-Slow: ');
    repeat(response, everyMs, () => response.socket?.write('.'));
  };
}

function repeat(response: ServerResponse, everyMs: number, write: () => void): void {
  const timer = setInterval(write, everyMs);
  response.on('close', () => clearInterval(timer));
}

/** A head of this size. */
export function hugeHead(bytes: number): Behaviour {
  return (response) => void response.writeHead(200, { 'x-filler': 'x'.repeat(bytes) }).end();
}

/** So many bytes of zeros, by gzip about a thousandth of that. */
export function gzipBomb(bytes: number): Behaviour {
  const bomb = gzipSync(Buffer.alloc(bytes));
  return (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
}

/** Each byte in a chunk of its own. */
export function byteByByte(text: string): Behaviour {
  return (response) => {
    response.writeHead(200);
    for (const byte of Buffer.from(text)) response.write(Buffer.from([byte]));
    response.end();
  };
}
