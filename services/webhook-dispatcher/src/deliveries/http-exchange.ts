// One HTTP exchange, as undici tells it to handlers: less than half of what its promises, streams and abort signals cost,
// and it tells when the request began to be sent and when the first byte of an answer came.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { SendFailure } from './send-error.js';

/** What has come of an answer once its head was there. */
export class Answer {
  private readonly chunks: Buffer[] = [];
  /** Of the body, in bytes. */
  length = 0;

  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
  ) {}

  add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /** As much of it as has come. */
  get body(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
  }
}

export interface ExchangeBounds {
  /** For the whole exchange, the response body included. */
  timeoutMs: number;
  /** A longer body is not an error, only not read: the connection is let go of. */
  maxBodyBytes: number;
}

/** How far an exchange has come, and when, in milliseconds from `start`. Unset where it did not come to that. */
export class ExchangeProgress {
  private readonly start = performance.now();
  /** A connection was there and the request began to be sent. */
  connectedMs?: number;
  /** The first byte of an answer had come, be it an informational one. */
  hasAnswer = false;
  /** The head of the answer was there. */
  headMs?: number;
  /** Unset before its head was there. Not whole when the exchange has failed. */
  answer?: Answer;

  /** From its beginning to now, to the microsecond. */
  elapsedMs(): number {
    return Math.round((performance.now() - this.start) * 1_000) / 1_000;
  }
}

/** Answers of 1xx before the real one. One or two make sense; a server that floods us with them would keep us busy. */
const maxInformational = 8;

/**
 * @param progress also keeps what has come of an answer that was not to be whole
 * @throws Error of undici or Node, SendFailure, or one named TimeoutError
 */
export function exchange(over: Dispatcher, request: Dispatcher.DispatchOptions, bounds: ExchangeBounds, progress: ExchangeProgress): Promise<Answer> {
  return new Promise((resolve, reject) => over.dispatch(request, new ExchangeHandler(bounds, progress, resolve, reject)));
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  private controller?: Dispatcher.DispatchController;
  private readonly timer: NodeJS.Timeout;
  private failure?: Error;
  private informational = 0;

  constructor(
    private readonly bounds: ExchangeBounds,
    private readonly progress: ExchangeProgress,
    private readonly resolve: (answer: Answer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => this.fail(new DOMException('The exchange took too long', 'TimeoutError')), bounds.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // It failed while it waited for a connection.
    if (this.failure) controller.abort(this.failure);
    else this.progress.connectedMs = this.progress.elapsedMs();
  }

  onResponseStarted(): void {
    this.progress.hasAnswer = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return this.countInformational();
    this.progress.headMs = this.progress.elapsedMs();
    this.progress.answer = new Answer(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const answer = this.progress.answer!;
    answer.add(chunk);
    if (answer.length < this.bounds.maxBodyBytes) return;
    this.succeed();
    controller.abort(new SendFailure('response_too_large', 'enough of the body was read'));
  }

  onResponseEnd(): void {
    this.succeed();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  private countInformational(): void {
    this.informational += 1;
    if (this.informational > maxInformational) {
      throw new SendFailure('malformed_response', `more than ${maxInformational} informational answers before the real one`);
    }
  }

  private succeed(): void {
    clearTimeout(this.timer);
    this.resolve(this.progress.answer!);
  }

  /** Without effect once it has succeeded. */
  private fail(error: Error): void {
    clearTimeout(this.timer);
    this.failure ??= error;
    this.reject(error);
    this.controller?.abort(error);
  }
}
