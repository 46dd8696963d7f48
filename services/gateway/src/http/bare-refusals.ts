// Refuses as a problem, with a request id and a log line, what Node.js would refuse on its own with nothing but a status.
import type { IncomingMessage, Server } from 'node:http';
import { Problem } from './problem.js';

/** Options of the server that leave the refusal to `refuseBare`. */
export const noBareRefusals = { requireHostHeader: false };

/** Lets requests in whose Expect is one that Node.js does not know. */
export function admitExpectations(server: Server): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

const continues = /(?:^|\W)100-continue(?:$|\W)/i;

/** Both headers are of HTTP/1.1: HTTP/1.0 needs no Host, and its Expect means nothing (RFC 9110, section 10.1.1). */
export function refuseBare({ httpVersion, headers }: IncomingMessage): void {
  if (httpVersion !== '1.1') return;
  if (headers.host === undefined) throw new Problem('invalid_request', 'A request of HTTP/1.1 has the header Host.');
  if (headers.expect !== undefined && !continues.test(headers.expect)) {
    throw new Problem('invalid_request', 'The header Expect may ask for 100-continue, and for nothing else.');
  }
}
