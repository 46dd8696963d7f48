// What a client may ask of a replay. Whether its window makes sense is for the dispatcher to say.
import { z } from 'zod';
import { passedOn, timestamp } from '../http/field-schemas.js';
import { deliveryStatus } from './delivery-list.js';

export const newReplay = z.strictObject({
  since: timestamp,
  until: timestamp,
  statuses: z.array(deliveryStatus).min(1).max(5).default(['failed']),
  event_types: z.array(passedOn(100)).max(50).default([]),
  include_missed: z.boolean().default(false),
  rate_per_second: z.int().min(1).max(1_000).nullish(),
  dry_run: z.boolean().default(false),
});

export type NewReplay = z.infer<typeof newReplay>;
