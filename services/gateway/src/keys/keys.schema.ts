// What a client may say of a key. What it may grant, and whether it may be used from more places than the calling key, is for
// key-management to say.
import { addressRangeForm, parseAddressRange, scopes, type Scope } from '@na/contracts';
import { z } from 'zod';
import { name as nameOf, text, timestamp } from '../http/field-schemas.js';
import { listQuery } from '../http/lists.js';
import { presetNames, scopesOf, type Preset } from './presets.js';

const maxReported = 100;

const name = nameOf(100);

/** A preset or a list of scopes, one of the two. */
const grant = {
  access: z.enum(presetNames).optional().describe('A preset of scopes, in place of `scopes`. Neither gives any scope over keys.'),
  scopes: z.array(z.enum(scopes)).min(1).max(scopes.length).optional().describe('What it may do, by name; none includes another.'),
};

const addressRange = z.string().refine((value) => parseAddressRange(value) !== undefined, { error: addressRangeForm, params: { code: 'invalid_format' } });

/** Where null means: without. */
const limits = {
  expires_at: timestamp.nullish(),
  not_before: timestamp.nullish(),
  allowed_ips: z.array(addressRange).max(50).nullish(),
  rate_limit: z.strictObject({ limit: z.int().min(1).max(100_000), window_seconds: z.int().min(1).max(3_600) }).nullish(),
};

export const newKey = z
  .strictObject({ name, ...grant, ...limits })
  .superRefine(refuseBoth)
  .superRefine(({ access, scopes }, context) => {
    if (access || scopes) return;
    context.addIssue({ code: 'custom', path: ['access'], message: 'Give access or scopes.', params: { code: 'required' } });
  })
  .transform(({ access, scopes, ...key }) => ({ ...key, scopes: granted(access, scopes) }));

/** A JSON merge patch (RFC 7396). A rate limit is changed as a whole. */
export const keyPatch = z
  .strictObject({ name: name.optional(), ...grant, ...limits, disabled: z.boolean().nullish().describe('Whether it is refused, until this is set to false again.') })
  .superRefine(refuseBoth)
  .transform(({ access, scopes, ...patch }) => (access || scopes ? { ...patch, scopes: granted(access, scopes) } : patch) as typeof patch & { scopes?: Scope[] });

export const rotation = z.strictObject({ overlap_seconds: z.int().min(0).max(604_800).nullish().describe('How long the secret before goes on working; 86,400 unless given.') }).optional();

export const keyStatus = z.enum(['active', 'not_yet_valid', 'disabled', 'expired', 'revoked']);

export const keysQuery = listQuery.extend({
  status: keyStatus.optional().describe('Only keys in this state.'),
  name: text(100).optional().describe('Only keys with this in their name, in any case.'),
  expires_before: timestamp.optional().describe('Only keys that expire before this.'),
});

/** Whatever is text can be reported: scanners find things that only look like keys. */
const reported = z.string().min(1).max(1_000);

export const leakReport = z
  .strictObject({ key: reported.optional().describe('One key.'), keys: z.array(reported).min(1).max(maxReported).optional().describe('Or several.') })
  .refine(({ key, keys }) => (key === undefined) !== (keys === undefined), { error: 'Give key or keys, one of the two.', path: ['keys'], params: { code: 'required' } })
  .transform(({ key, keys }) => keys ?? [key!]);

export type NewKey = z.infer<typeof newKey>;
export type KeyPatch = z.infer<typeof keyPatch>;
export type Rotation = z.infer<typeof rotation>;
export type KeysQuery = z.infer<typeof keysQuery>;
export type LeakReport = z.infer<typeof leakReport>;

function refuseBoth({ access, scopes }: { access?: Preset; scopes?: Scope[] }, context: z.RefinementCtx): void {
  if (!access || !scopes) return;
  context.addIssue({ code: 'custom', path: ['scopes'], message: 'Give access or scopes, not both.', params: { code: 'not_allowed' } });
}

function granted(access: Preset | undefined, scopes: Scope[] | undefined): Scope[] {
  return access ? scopesOf(access) : [...new Set(scopes)];
}
