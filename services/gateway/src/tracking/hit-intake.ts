// Takes hits in: judges each, stores the good ones on the bus, and says of each what became of it. A hit is accepted only
// when JetStream has confirmed that it is stored.
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { HitSchema, hitSubject, type Caller, type Hit } from '@na/contracts';
import type { Publication } from '@na/messaging';
import { notFound, ServiceError, type ErrorCode, type FieldFault } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { fieldFaults } from '../http/field-faults.js';
import { inPlainWords } from '../http/plain-words.js';
import { Problem } from '../http/problem.js';
import type { Claim } from '../idempotency/idempotency-records.js';
import { newIdAt } from '../idempotency/new-id.js';
import type { KnownPages } from './known-pages.js';
import { hitIdForm, hitSchema, type RawHit, type TrackedHit } from './track.schema.js';
import { derivedVisitorId } from './visitor-id.js';

/** What is used here of a Publisher: it resolves when the message is stored. */
interface HitStore {
  publish(publication: Publication): Promise<void>;
}

type HitClaim = Pick<Claim, 'newId' | 'firstAt'>;

export interface Sender {
  caller: Caller;
  userAgent: string;
}

/** What a hit gets from how it came. */
interface Arrival {
  /** Its place among the hits of its request. */
  index: number;
  claim: HitClaim | undefined;
  sender: Sender;
  now: Date;
  budget: FaultBudget;
}

/**
 * Faults of single fields that are told of all hits of a request together. Each hit alone may have fifty: a thousand of these
 * make an answer ten times as long as the request.
 */
const maxFaultsPerRequest = 1_000;

interface HitError {
  code: ErrorCode;
  detail: string;
  errors: FieldFault[];
}

/** How many faults of single fields may still be told of a request. */
class FaultBudget {
  private left = maxFaultsPerRequest;

  /** @param faults not asked for when none of them could be told */
  errorOf(code: ErrorCode, detail: string, faults: () => FieldFault[]): HitError {
    if (this.left === 0) return { code, detail: `${detail} ${untold}`, errors: [] };
    const errors = faults().slice(0, this.left);
    this.left -= errors.length;
    return { code, detail, errors };
  }
}

const untold = `Its fields are left out: ${maxFaultsPerRequest} faults of this request are told.`;

type Judged = { kind: 'good'; raw: RawHit; hit: Hit } | { kind: 'bad'; hitId: string | null; error: HitError };

export interface HitResult {
  hit_id: string | null;
  /** With the hit id, what a hit that is sent again is known by. */
  occurred_at?: string;
  status: 'accepted' | 'rejected' | 'unconfirmed';
  error?: HitError;
}

export class HitIntake {
  constructor(
    private readonly store: HitStore,
    private readonly pages: Pick<KnownPages, 'unknownAmong'>,
    private readonly clock: Clock,
    private readonly visitorKey: Uint8Array,
  ) {}

  /**
   * @param claim gives each hit the id and the time that it had in an earlier try: what that one stored is counted once
   * @returns a result for each hit, in their order
   * @throws ServiceError `invalid_request` when no hit is valid, `not_found` when all that is wrong with them is that their pages
   * are unknown, `unavailable` with the results when some could not be stored
   */
  async take(raw: RawHit[], sender: Sender, claim?: HitClaim): Promise<HitResult[]> {
    const now = claim?.firstAt ?? this.clock.now();
    const schema = hitSchema(now);
    const budget = new FaultBudget();
    const judgedAlone = raw.map((one, index) => this.judge(one, schema, { index, claim, sender, now, budget }));
    const judged = await this.holdAgainstPages(judgedAlone, sender.caller, budget);
    refuseIfNoneIsGood(judged);
    const results = await Promise.all(judged.map((one) => this.settle(one)));
    if (results.some(({ status }) => status === 'unconfirmed')) throw unconfirmed(results);
    return results;
  }

  private judge(raw: RawHit, schema: ReturnType<typeof hitSchema>, arrival: Arrival): Judged {
    const result = schema.safeParse(raw.value, inPlainWords);
    if (result.success) return { kind: 'good', raw, hit: this.hitOf(result.data, arrival) };
    const faults = () => fieldFaults(result.error.issues, raw.value, raw.pointer);
    return { kind: 'bad', hitId: givenId(raw), error: arrival.budget.errorOf('invalid_request', 'The hit is not valid.', faults) };
  }

  /** A hit that is good by itself is bad after all if the workspace has no such page. */
  private async holdAgainstPages(judged: Judged[], caller: Caller, budget: FaultBudget): Promise<Judged[]> {
    const pageIds = judged.flatMap((one) => (one.kind === 'good' && one.hit.pageId ? [one.hit.pageId] : []));
    const unknown = await this.pages.unknownAmong(caller, pageIds);
    return judged.map((one) => (one.kind === 'good' && unknown.has(one.hit.pageId) ? ofUnknownPage(one.raw, one.hit.pageId, budget) : one));
  }

  private hitOf(tracked: TrackedHit, { index, claim, sender, now }: Arrival): Hit {
    const { hit_id, page_id = '', url = '', type, name = '', visitor, occurred_at: occurredAt = now, referrer, utm, props } = tracked;
    const { workspaceId, address } = sender.caller;
    const traits = { workspaceId, address: visitor.ip ?? address, userAgent: visitor.user_agent ?? sender.userAgent };
    return create(HitSchema, {
      id: hit_id ?? newIdAt('hit', index, claim),
      workspaceId,
      pageId: page_id,
      url,
      type,
      name,
      visitorId: visitor.id ?? derivedVisitorId(traits, occurredAt, this.visitorKey),
      occurredAt: timestampFromDate(occurredAt),
      receivedAt: timestampFromDate(now),
      referrer,
      utm,
      props,
    });
  }

  private async settle(judged: Judged): Promise<HitResult> {
    if (judged.kind === 'bad') return { hit_id: judged.hitId, status: 'rejected', error: judged.error };
    const { hit } = judged;
    const publication = { subject: hitSubject(hit.workspaceId, hit.visitorId), body: toBinary(HitSchema, hit), id: `${hit.workspaceId}:${hit.id}` };
    const known = { hit_id: hit.id, occurred_at: timestampDate(hit.occurredAt!).toISOString() };
    return this.store.publish(publication).then(
      () => ({ ...known, status: 'accepted' }),
      () => ({ ...known, status: 'unconfirmed' }),
    );
  }
}

/** What became of a hit, for a repeat of the request: what is wrong with it can take a hundred times as much. */
export function withoutFaults({ error, ...result }: HitResult): HitResult {
  return error ? { ...result, error: { code: error.code, detail: 'Told in the first answer.', errors: [] } } : result;
}

/** Only what can be one: anything else may be as long as the request. */
function givenId({ value }: RawHit): string | null {
  const given = (value as { hit_id?: unknown } | null)?.hit_id;
  return typeof given === 'string' && hitIdForm.test(given) ? given : null;
}

/** A page of another workspace is not told from one that does not exist. */
function ofUnknownPage(raw: RawHit, pageId: string, budget: FaultBudget): Judged {
  const { code, message: detail } = notFound('page', pageId);
  return { kind: 'bad', hitId: givenId(raw), error: budget.errorOf(code, detail, () => [{ pointer: `${raw.pointer}/page_id`, code, detail }]) };
}

/** Where nothing but pages is wrong, the answer is that of any request that names a page the workspace does not have. */
function refuseIfNoneIsGood(judged: Judged[]): void {
  const errors = judged.flatMap((one) => (one.kind === 'bad' ? [one.error] : []));
  if (errors.length < judged.length) return;
  if (errors.every(({ code }) => code === 'not_found')) throw new ServiceError('not_found', errors[0]!.detail);
  const fields = errors.flatMap((error) => error.errors);
  throw new ServiceError('invalid_request', judged.length === 1 ? 'The hit is not valid.' : 'None of the hits is valid.', { fields });
}

/**
 * Sent again under the same hit id and time, what was stored after all is counted once. The id alone is recognised for some
 * minutes only, while the stream remembers it.
 */
function unconfirmed(results: HitResult[]): Problem {
  return new Problem('unavailable', 'Not all hits could be stored. Send the unconfirmed ones again with the hit_id and occurred_at given here.', { members: { results } });
}
