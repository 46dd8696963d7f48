// What a client may say of a tracked page.
import { z } from 'zod';
import { httpUrl, lineOrEmpty, timeZone } from '../http/field-schemas.js';

export const newPage = z.strictObject({
  url: httpUrl,
  title: lineOrEmpty(300).default(''),
  time_zone: timeZone.nullish(),
});

export type NewPage = z.infer<typeof newPage>;
