// The only place that sends something to a customer's server. Never throws for what that server does.
import { isUtf8 } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { LRUCache } from 'lru-cache';
import type { Dispatcher } from 'undici';
import { guardedAgent, type Egress } from './guarded-agent.js';
import { exchange, ExchangeProgress, type Answer } from './http-exchange.js';
import type { Outcome, Phases, Received } from './outcome.js';
import { hadAnswered } from './reused-connection.js';
import { meaningOf } from './send-error.js';

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: Buffer;
  /** For the whole exchange, response body included. */
  timeoutMs: number;
}

export type Send = (request: WebhookRequest) => Promise<Outcome>;

const readBytes = 64 * 1024;
const keptBytes = 16 * 1024;
const beyondAscii = /[\x80-\xff]/;

/** Addresses that are taken apart already. */
const maxAddresses = 10_000;

export class Sender {
  private readonly addresses = new LRUCache({ max: maxAddresses, memoMethod: addressOf });
  private readonly kept: Dispatcher;
  private readonly fresh: Dispatcher;

  constructor(egress: Egress) {
    this.kept = guardedAgent(egress, true);
    this.fresh = guardedAgent(egress, false);
  }

  readonly send: Send = async (request) => {
    const progress = new ExchangeProgress();
    try {
      const { status, headers, body } = received(await this.exchange(request, progress));
      return { kind: 'answered', status, headers, body, phases: phasesOf(progress), durationMs: progress.elapsedMs() };
    } catch (error) {
      const { answer } = progress;
      const failure = { error: meaningOf(error, answer !== undefined), detail: (error as Error).message, received: answer && received(answer) };
      return { kind: 'unanswered', ...failure, phases: phasesOf(progress), durationMs: progress.elapsedMs() };
    }
  };

  async close(): Promise<void> {
    await Promise.all([this.kept.close(), this.fresh.close()]);
  }

  /**
   * What was written to a kept connection that its server had just closed is sent once more, over a new one: the server
   * may have seen both, which at-least-once allows and `webhook-id` tells. As Go does with an Idempotency-Key.
   */
  private async exchange({ url, headers, body, timeoutMs }: WebhookRequest, progress: ExchangeProgress): Promise<Answer> {
    const request = { ...this.addresses.memo(url), method: 'POST', headers, body } as const;
    try {
      return await exchange(this.kept, request, { timeoutMs, maxBodyBytes: readBytes }, progress);
    } catch (error) {
      if (progress.hasAnswer || !hadAnswered(error)) throw error;
      return exchange(this.fresh, request, { timeoutMs: timeoutMs - progress.elapsedMs(), maxBodyBytes: readBytes }, progress);
    }
  }
}

function phasesOf({ connectedMs, headMs }: ExchangeProgress): Phases {
  return { connectedMs, headMs };
}

function received({ status, headers, body }: Answer): Received {
  return { status, headers: flatten(headers), body: readable(body) };
}

function addressOf(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: pathname + search };
}

/** PostgreSQL's text takes no NUL; what is not UTF-8, compressed bodies too, is shown as replacement characters. */
function readable(bytes: Buffer): string {
  // Of what is cut off nothing is kept of the last character, where the cut goes through it.
  const text = bytes.length > keptBytes ? new StringDecoder('utf8').write(bytes.subarray(0, keptBytes)) : bytes.toString('utf8');
  return text.replaceAll('\0', '\u2400');
}

/** By entries: a header may be called `__proto__`. */
function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, inUtf8(Array.isArray(value) ? value.join(', ') : (value ?? ''))]));
}

/** @param text in which each character stands for a byte, as undici gives headers. What is not UTF-8 is Latin-1 (RFC 9110, 5.5). */
function inUtf8(text: string): string {
  if (!beyondAscii.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : text;
}
