// What may be done with a presented key: remembered while a lease allows it, else asked of key-management.
//
// Why no request that is sent after the reply to a revocation gets through: while this gateway holds a lease, that reply
// waited until the change was applied here, so the key is no longer remembered, and an answer that was on its way at that
// moment is thrown away. Without a lease nothing remembered counts, and an answer serves only the request that asked.
import { metrics } from '@opentelemetry/api';
import type { KeyChanged, KeyService, Verdict } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { InvalidToken } from './challenge.js';
import { grantOf, isVoidedBy, type Grant } from './grant.js';
import type { KeyMaterial } from './key-material.js';
import type { Lease } from './lease.js';
import { VerdictCache } from './verdict-cache.js';

const timeoutMs = 3_000;

/** Answers in a row that a change may overtake before the client is told to come back. */
const maxTries = 5;

/** Whatever else is wrong with a key, its secret is one of its own. */
const neverRight = new Set(['unknown', 'wrong_secret']);

/** One question to key-management, and the changes that came while it was out. */
interface Question {
  /** The lease's term that it was asked in. */
  term: number | undefined;
  changes: KeyChanged[];
  /** Undefined: a change overtook the answer. */
  outcome: Promise<Grant | undefined>;
}

const verdicts = metrics.getMeter('gateway').createCounter('gateway.verdicts', { description: 'Verdicts on API keys, by where they came from.' });
const fromCache = { source: 'cache' };
const fromService = { source: 'asked' };

export class Verdicts {
  private readonly cache = new VerdictCache();
  private readonly questions = new Map<string, Question>();

  constructor(
    private readonly keys: Pick<RpcClient<typeof KeyService>, 'verifyKey'>,
    private readonly clock: Clock,
    private readonly lease: Pick<Lease, 'current'>,
  ) {}

  /** What is remembered of a key and still counts. Costs no I/O. */
  remembered(material: KeyMaterial): Grant | undefined {
    if (this.lease.current() === undefined) return undefined;
    const grant = this.cache.find(material);
    if (!grant || this.isOver(grant)) return undefined;
    verdicts.add(1, fromCache);
    return grant;
  }

  /** As it was when the key was last found good here. Nothing may be allowed by it. */
  lastGood(material: KeyMaterial): Grant | undefined {
    return this.cache.lastGood(material);
  }

  /**
   * @throws Problem that is the same for every key that may not be used, so that an outsider learns nothing of it
   * @throws ServiceError `workspace_suspended`, or `unavailable` when key-management can't be asked
   */
  async ask(material: KeyMaterial): Promise<Grant> {
    verdicts.add(1, fromService);
    for (let tries = 0; tries < maxTries; tries++) {
      const grant = await this.questionOn(material).outcome;
      if (grant) return grant;
    }
    throw new ServiceError('unavailable', 'The API key is being changed. Try again.');
  }

  apply(change: KeyChanged): void {
    this.cache.apply(change);
    for (const { changes } of this.questions.values()) changes.push(change);
  }

  forgetAll(): void {
    this.cache.voidAll();
  }

  /** Requests that come while their key is being asked about share the answer, but only under one lease. */
  private questionOn(material: KeyMaterial): Question {
    const id = `${material.keyId}:${material.secretDigest.toString('base64')}`;
    const term = this.lease.current();
    const shared = this.questions.get(id);
    if (shared && term !== undefined && shared.term === term) return shared;
    const question: Question = { term, changes: [], outcome: Promise.resolve(undefined) };
    if (term !== undefined) this.questions.set(id, question);
    question.outcome = this.put(question, material).finally(() => {
      if (this.questions.get(id) === question) this.questions.delete(id);
    });
    return question;
  }

  private async put({ term, changes }: Question, material: KeyMaterial): Promise<Grant | undefined> {
    const { status, verdict } = await this.keys.verifyKey(material, { timeoutMs }).catch(asOutage);
    if (verdict && changes.some((change) => isVoidedBy(verdict, change))) return undefined;
    const grant = this.grantOf(material, status, verdict);
    if (term !== undefined && term === this.lease.current()) this.cache.remember(grant);
    return grant;
  }

  private grantOf(material: KeyMaterial, status: string, verdict: Verdict | undefined): Grant {
    const grant = status === 'valid' && verdict ? grantOf(verdict, material.secretDigest) : undefined;
    if (grant && !this.isOver(grant)) return grant;
    // From now on it is one of the keys that are counted by their address.
    this.cache.forget(material);
    if (status === 'suspended') throw new ServiceError('workspace_suspended', 'The workspace of this key is suspended. Ask the operator.');
    throw new InvalidToken(!neverRight.has(status));
  }

  private isOver({ endsAtMs }: Grant): boolean {
    return this.clock.now().getTime() >= endsAtMs;
  }
}

/** Without a verdict nothing has been done yet: a client may come back at once, whatever it asked for. */
function asOutage(error: unknown): never {
  const isLate = error instanceof ServiceError && error.code === 'deadline_exceeded';
  throw isLate ? new ServiceError('unavailable', 'API keys can not be checked right now. Try again.', { cause: error }) : error;
}
