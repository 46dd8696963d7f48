// What a client may say of a new key: a preset or a list of scopes, one of the two.
import { scopes } from '@na/contracts';
import { z } from 'zod';
import { text, timestamp } from '../http/field-schemas.js';
import { presetNames, scopesOf } from './presets.js';

export const newKey = z
  .strictObject({
    name: text(100),
    access: z.enum(presetNames).optional(),
    scopes: z.array(z.enum(scopes)).min(1).max(scopes.length).optional(),
    expires_at: timestamp.nullish(),
  })
  .superRefine(({ access, scopes }, context) => {
    if (!access && !scopes) context.addIssue({ code: 'custom', path: ['access'], message: 'Give access or scopes.', params: { code: 'required' } });
    if (access && scopes) context.addIssue({ code: 'custom', path: ['scopes'], message: 'Give access or scopes, not both.', params: { code: 'not_allowed' } });
  })
  .transform(({ access, scopes, ...key }) => ({ ...key, scopes: access ? scopesOf(access) : [...new Set(scopes)] }));

export type NewKey = z.infer<typeof newKey>;
