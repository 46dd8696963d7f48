// Answers what Node.js could not read as HTTP, where there is no request to answer to: a problem on the bare socket.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { describeCode, problemMediaType } from './problem.js';

const details: Record<string, [status: number, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket, publicUrl: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, detail] = details[error.code ?? ''] ?? [400, 'This is not HTTP.'];
  const body = JSON.stringify({ ...describeCode('invalid_request', publicUrl), status, detail });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
