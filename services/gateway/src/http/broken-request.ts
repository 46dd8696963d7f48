// Answers what Node.js could not read as HTTP, where there is no request to answer to: a problem on the bare socket.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '@na/service-error';
import { typeid } from 'typeid-js';
import { describeCode, problemMediaType } from './problem.js';
import { securityHeaders } from './security-headers.js';

const details: Record<string, [code: ErrorCode, detail: string]> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The address and the headers may have 16 KiB together.'],
  HPE_INVALID_METHOD: ['invalid_request', 'This is not HTTP, or its method is none that is known here.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
};

/** @param owesAnswer to a request before this one: a second answer in the middle of the first would pass for a part of it */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket, owesAnswer: boolean, publicUrl: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable || owesAnswer) return void socket.destroy();
  const [code, detail] = details[error.code ?? ''] ?? ['invalid_request', 'This is not HTTP.'];
  const problem = { ...describeCode(code, publicUrl), detail, request_id: typeid('req').toString() };
  const body = JSON.stringify(problem);
  const headers = {
    'content-type': problemMediaType,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    'x-request-id': problem.request_id,
    ...securityHeaders(publicUrl),
  };
  const head = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
