// What a client may say of a workspace.
import { z } from 'zod';
import { text, timeZone } from '../http/field-schemas.js';

export const newWorkspace = z.strictObject({
  name: text(100),
  time_zone: timeZone.default('UTC'),
  owner_emails: z.array(z.email().max(254)).max(20).default([]),
});

export type NewWorkspace = z.infer<typeof newWorkspace>;
