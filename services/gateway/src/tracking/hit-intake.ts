// Takes hits in: judges each, stores the good ones on the bus, and says of each what became of it. A hit is accepted only
// when JetStream has confirmed that it is stored.
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { HitSchema, hitSubject, type Hit } from '@na/contracts';
import type { Publication } from '@na/messaging';
import { ServiceError, type FieldFault } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { fieldFaults } from '../http/field-faults.js';
import { inPlainWords } from '../http/plain-words.js';
import { Problem } from '../http/problem.js';
import type { Claim } from '../idempotency/idempotency-records.js';
import { newIdAt } from '../idempotency/new-id.js';
import { hitSchema, type RawHit, type TrackedHit } from './track.schema.js';
import { derivedVisitorId, type VisitorTraits } from './visitor-id.js';

/** What is used here of a Publisher: it resolves when the message is stored. */
interface HitStore {
  publish(publication: Publication): Promise<void>;
}

type HitClaim = Pick<Claim, 'newId' | 'firstAt'>;

/** What a hit gets from how it came. */
interface Arrival {
  /** Its place among the hits of its request. */
  index: number;
  claim: HitClaim | undefined;
  sender: VisitorTraits;
  now: Date;
}

type Judged = { kind: 'good'; hit: Hit } | { kind: 'bad'; hitId: string | null; faults: FieldFault[] };

export interface HitResult {
  hit_id: string | null;
  /** With the hit id, what a hit that is sent again is known by. */
  occurred_at?: string;
  status: 'accepted' | 'rejected' | 'unconfirmed';
  error?: { code: string; detail: string; errors: FieldFault[] };
}

export class HitIntake {
  constructor(
    private readonly store: HitStore,
    private readonly clock: Clock,
    private readonly visitorKey: Uint8Array,
  ) {}

  /**
   * @param claim gives each hit the id and the time that it had in an earlier try: what that one stored is counted once
   * @returns a result for each hit, in their order
   * @throws ServiceError `invalid_request` when no hit is valid, `unavailable` with the results when some could not be stored
   */
  async take(raw: RawHit[], sender: VisitorTraits, claim?: HitClaim): Promise<HitResult[]> {
    const now = claim?.firstAt ?? this.clock.now();
    const schema = hitSchema(now);
    const judged = raw.map((one, index) => this.judge(one, schema, { index, claim, sender, now }));
    refuseIfNoneIsGood(judged);
    const results = await Promise.all(judged.map((one) => this.settle(one)));
    if (results.some(({ status }) => status === 'unconfirmed')) throw unconfirmed(results);
    return results;
  }

  private judge({ value, pointer }: RawHit, schema: ReturnType<typeof hitSchema>, arrival: Arrival): Judged {
    const result = schema.safeParse(value, inPlainWords);
    if (result.success) return { kind: 'good', hit: this.hitOf(result.data, arrival) };
    const given = (value as { hit_id?: unknown } | null)?.hit_id;
    return { kind: 'bad', hitId: typeof given === 'string' ? given : null, faults: fieldFaults(result.error.issues, value, pointer) };
  }

  private hitOf(tracked: TrackedHit, { index, claim, sender, now }: Arrival): Hit {
    const { hit_id, page_id = '', url = '', type, name = '', visitor, occurred_at: occurredAt = now, referrer, utm, props } = tracked;
    const traits = { ...sender, address: visitor.ip ?? sender.address, userAgent: visitor.user_agent ?? sender.userAgent };
    return create(HitSchema, {
      id: hit_id ?? newIdAt('hit', index, claim),
      workspaceId: sender.workspaceId,
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
    if (judged.kind === 'bad') {
      const error = { code: 'invalid_request', detail: 'The hit is not valid.', errors: judged.faults };
      return { hit_id: judged.hitId, status: 'rejected', error };
    }
    const { hit } = judged;
    const publication = { subject: hitSubject(hit.workspaceId, hit.visitorId), body: toBinary(HitSchema, hit), id: `${hit.workspaceId}:${hit.id}` };
    const known = { hit_id: hit.id, occurred_at: timestampDate(hit.occurredAt!).toISOString() };
    return this.store.publish(publication).then(
      () => ({ ...known, status: 'accepted' }),
      () => ({ ...known, status: 'unconfirmed' }),
    );
  }
}

function refuseIfNoneIsGood(judged: Judged[]): void {
  if (judged.some(({ kind }) => kind === 'good')) return;
  const fields = judged.flatMap((one) => (one.kind === 'bad' ? one.faults : []));
  throw new ServiceError('invalid_request', judged.length === 1 ? 'The hit is not valid.' : 'None of the hits is valid.', { fields });
}

/**
 * Sent again under the same hit id and time, what was stored after all is counted once. The id alone is recognised for some
 * minutes only, while the stream remembers it.
 */
function unconfirmed(results: HitResult[]): Problem {
  return new Problem('unavailable', 'Not all hits could be stored. Send the unconfirmed ones again with the hit_id and occurred_at given here.', { members: { results } });
}
