// What a client may ask of a replay. The dispatcher's rules are asked here too, so that one answer names all that is wrong.
import { replayWindowFaults } from '@na/contracts';
import { z } from 'zod';
import { eventPattern, timestamp } from '../http/field-schemas.js';
import { judgedBy } from '../http/judged-by.js';
import { deliveryStatus } from './delivery-list.js';

const judgedWindow = judgedBy(({ since, until }: { since: Date; until: Date }) =>
  since instanceof Date && until instanceof Date ? replayWindowFaults({ since, until }, new Date()) : [],
);

export const newReplay = z.strictObject({
  since: timestamp,
  until: timestamp,
  statuses: z.array(deliveryStatus).min(1).max(5).default(['failed']),
  event_types: z.array(eventPattern).max(50).default([]),
  include_missed: z.boolean().default(false),
  rate_per_second: z.int().min(1).max(1_000).nullish(),
  dry_run: z.boolean().default(false),
}).check(judgedWindow);

export type NewReplay = z.infer<typeof newReplay>;
