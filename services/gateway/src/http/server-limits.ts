// What one client can take of the server: sizes, counts and times. None of the times bounds how long we take to answer.
import { Problem } from './problem.js';

export interface ServerLimits {
  /** A larger body is 413. */
  bodyBytes: number;
  /** Of the request line and all headers together; more is 431. */
  headerBytes: number;
  /** More is 431. */
  headers: number;
  /** From the connect, or the first byte of a further request, to the end of the headers; longer is 408. */
  headersTimeoutMs: number;
  /** From the same moment to the end of the body. */
  requestTimeoutMs: number;
  /** How often those two are looked at: what is late ends this much later at most. */
  checkEveryMs: number;
  /** Longer than the 60 s after which common load balancers give an idle connection up, so that it is never we who hang up first. */
  keepAliveTimeoutMs: number;
  /** For whoever does not take the answer: the connection on which nothing has moved for this long is closed. */
  idleTimeoutMs: number;
  /** Further ones are closed at once: what is full must not fall over. */
  connections: number;
}

export const serverLimits: ServerLimits = {
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  headers: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkEveryMs: 2_000,
  keepAliveTimeoutMs: 72_000,
  idleTimeoutMs: 120_000,
  connections: 20_000,
};

export function limitOptions(limits: ServerLimits) {
  return {
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.checkEveryMs, maxHeaderSize: limits.headerBytes },
  };
}

/** Node.js drops headers past its own count without a word; ours is far below it. */
export function refuseManyHeaders(rawHeaders: readonly string[], limits: ServerLimits): void {
  if (rawHeaders.length / 2 > limits.headers) throw new Problem('headers_too_large', `A request may have at most ${limits.headers} headers.`);
}
