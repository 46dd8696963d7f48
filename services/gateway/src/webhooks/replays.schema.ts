// What a client may ask of a replay. The dispatcher's rules are asked here too, so that one answer names all that is wrong.
import { fault, replayWindowFaults } from '@na/contracts';
import { z } from 'zod';
import { eventPattern, timestamp } from '../http/field-schemas.js';
import { judgedBy } from '../http/judged-by.js';
import { deliveryStatus } from './delivery-list.js';

interface Wanted {
  since: Date;
  until: Date;
  statuses: string[];
  include_missed: boolean;
}

const judged = judgedBy(({ since, until, statuses, include_missed }: Wanted) => [
  ...(since instanceof Date && until instanceof Date ? replayWindowFaults({ since, until }, new Date()) : []),
  ...(Array.isArray(statuses) && statuses.length === 0 && include_missed !== true ? [nothingToSend] : []),
]);

const nothingToSend = fault('too_small', 'Must name a status, or be empty with "include_missed": true, for what was missed alone.', 'statuses');

export const newReplay = z.strictObject({
  since: timestamp,
  until: timestamp,
  statuses: z.array(deliveryStatus).max(5).default(['failed']),
  event_types: z.array(eventPattern).max(50).default([]),
  include_missed: z.boolean().default(false),
  rate_per_second: z.int().min(1).max(1_000).nullish(),
  dry_run: z.boolean().default(false),
}).check(judged);

export type NewReplay = z.infer<typeof newReplay>;
