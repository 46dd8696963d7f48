// The gateway's right to go by what it remembers. While it holds a lease, key-management waits for it with every change
// that makes a key narrower; once the lease is over it is waited for no longer, and must ask about every request.
//
// Kept by real time, on both sides from a moment that errs on the safe side: here from when the renewal was sent, there from
// when it arrived. A tenth is taken off for clocks that run at different speeds.
import { setTimeout as delay } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import type { GatewayLeaseService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import type { Host } from '@na/service-host';

const trustedPart = 0.9;

/** Until key-management has said how long its leases are. */
const firstLeaseMs = 1_000;

/** After a renewal that failed: often enough to be back soon, seldom enough to load nobody. */
const retryMs = 200;

/**
 * A renewal is waited for only a fraction of a second, which clocks may be apart: by that it would always come too late to one
 * whose clock is ahead. Nothing is lost when it is carried out later, as the term counts from when it was sent.
 */
const minDeadlineMs = 2_000;

const endTimeoutMs = 1_000;

const never: Moment = { monotonic: -Infinity, wall: -Infinity };

type Leases = RpcClient<typeof GatewayLeaseService>;

export class Lease {
  private readonly stopped = new AbortController();
  private leaseMs = firstLeaseMs;
  private trustedUntil = never;
  private wasHeld = false;
  private failures = 0;
  private term = 0;
  private work: Promise<void> = Promise.resolve();

  /** @param onLost called before anything can be judged without the lease */
  constructor(
    private readonly gatewayId: string,
    private readonly leases: Leases,
    private readonly onLost: () => void,
    private readonly host: Host,
  ) {}

  /** Renews from now on. Returns at once: a gateway without a lease works, only slower. */
  start(): void {
    metrics
      .getMeter('gateway')
      .createObservableGauge('gateway.lease_held', { description: '1 while remembered verdicts may be gone by, else 0.' })
      .addCallback((gauge) => gauge.observe(this.current() === undefined ? 0 : 1));
    this.work = this.run();
    this.host.onStop('lease', () => this.stop());
  }

  /**
   * The number of the uninterrupted term in hand, or undefined while there is none. Asked anew for each judgement: between
   * two of them the process may have been stopped for any time.
   */
  current(): number | undefined {
    if (isStillToCome(this.trustedUntil)) return this.term;
    if (this.wasHeld) this.lose();
    return undefined;
  }

  private lose(): void {
    this.wasHeld = false;
    this.onLost();
    this.host.logger.warn('the lease on remembered verdicts is over: key-management is asked about every request');
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const renewed = await this.renew();
      await delay(renewed ? this.leaseMs / 3 : retryMs, undefined, { signal: this.stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  private async renew(): Promise<boolean> {
    const sentAt = now();
    const timeoutMs = Math.ceil(this.leaseMs / 3);
    try {
      const { leaseMs } = await this.leases.renewLease({ gatewayId: this.gatewayId }, { timeoutMs, deadlineMs: Math.max(timeoutMs, minDeadlineMs) });
      this.extend(sentAt, leaseMs);
      this.noteSuccess();
      return true;
    } catch (error) {
      this.noteFailure(error);
      this.current();
      return false;
    }
  }

  /** Told when it begins and when it is over: in between it is tried several times a second. */
  private noteFailure(error: unknown): void {
    this.failures += 1;
    if (this.failures === 1) this.host.logger.warn({ err: error }, 'the lease could not be renewed: it is tried again and again');
    else this.host.logger.debug({ err: error }, 'the lease could still not be renewed');
  }

  private noteSuccess(): void {
    if (this.failures > 0) this.host.logger.warn({ failures: this.failures }, 'the lease could be renewed again');
    this.failures = 0;
  }

  private extend(sentAt: Moment, leaseMs: number): void {
    if (this.stopped.signal.aborted) return;
    const isNew = this.current() === undefined;
    this.leaseMs = leaseMs;
    this.trustedUntil = after(sentAt, leaseMs * trustedPart);
    if (!isNew || !isStillToCome(this.trustedUntil)) return;
    this.term += 1;
    this.wasHeld = true;
    this.host.logger.info({ gateway_id: this.gatewayId, lease_ms: leaseMs }, 'the lease is held: verdicts are remembered');
  }

  /** Trusts nothing from here on, and then says so, so that no change waits for a gateway that is gone. */
  private async stop(): Promise<void> {
    this.stopped.abort();
    this.trustedUntil = never;
    await this.work;
    await this.leases.endLease({ gatewayId: this.gatewayId }, { timeoutMs: endTimeoutMs }).catch(() => undefined);
  }
}

interface Moment {
  monotonic: number;
  wall: number;
}

function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

function after(moment: Moment, ms: number): Moment {
  return { monotonic: moment.monotonic + ms, wall: moment.wall + ms };
}

/** By both clocks: the monotonic one stands still while the whole machine sleeps, the wall clock may be set back. */
function isStillToCome({ monotonic, wall }: Moment): boolean {
  return performance.now() < monotonic && Date.now() < wall;
}
