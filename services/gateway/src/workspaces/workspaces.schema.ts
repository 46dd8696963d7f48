// What a client may say of a workspace.
import { z } from 'zod';
import { name as nameOf, timeZone } from '../http/field-schemas.js';

const name = nameOf(100);
const ownerEmails = z.array(z.email().max(254)).max(20);

export const newWorkspace = z.strictObject({
  name,
  time_zone: timeZone.default('UTC'),
  owner_emails: ownerEmails.default([]),
});

/** A JSON merge patch (RFC 7396). */
export const workspacePatch = z.strictObject({
  name: name.optional(),
  time_zone: timeZone.nullish(),
  owner_emails: ownerEmails.nullish(),
});

export type NewWorkspace = z.infer<typeof newWorkspace>;
export type WorkspacePatch = z.infer<typeof workspacePatch>;
