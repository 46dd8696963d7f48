// /api/v1/track
import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import type { Caller } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import type { Claim } from '../idempotency/idempotency-records.js';
import { ByClaim } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { HitIntake, withoutFaults } from './hit-intake.js';
import { trackBody, type RawHit } from './track.schema.js';
import { trackingOperations, trackingTag } from './tracking.reference.js';

@Documented(trackingTag, trackingOperations)
@Controller('/api/v1/track')
export class TrackingController {
  constructor(private readonly intake: HitIntake) {}

  @Post()
  @HttpCode(202)
  @Scoped('track:write')
  async track(
    @From() caller: Caller,
    @ByClaim() claim: Claim | undefined,
    @Headers('user-agent') userAgent: string | undefined,
    @Body({ schema: trackBody }) hits: RawHit[],
  ) {
    const results = await this.intake.take(hits, { caller, userAgent: userAgent ?? '' }, claim);
    if (claim) claim.inShort = () => ({ results: results.map(withoutFaults) });
    return { results };
  }
}
