// What a client may say of a goal.
import { z } from 'zod';
import { id, name, text } from '../http/field-schemas.js';

export const newGoal = z.strictObject({
  name: name(100),
  event_name: text(120),
  page_id: id('page').nullish(),
  value: z.number().min(0).max(1e12).nullish(),
});

export type NewGoal = z.infer<typeof newGoal>;
