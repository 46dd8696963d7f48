// Why a request is refused: a closed list of reasons, each told in a sentence that says what to do.

export const refusalReasons = [
  'malformed_secret',
  'body_not_raw',
  'missing_id',
  'missing_timestamp',
  'missing_signature',
  'malformed_timestamp',
  'malformed_signature',
  'timestamp_too_old',
  'timestamp_too_new',
  'no_match',
  'body_not_json',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

export interface Refusal {
  ok: false;
  reason: RefusalReason;
  /** For people. Holds neither a secret nor the signature that was expected, so it may be logged and answered. */
  detail: string;
}

export class WebhookSignatureError extends Error {
  override readonly name = 'WebhookSignatureError';

  constructor(
    readonly reason: RefusalReason,
    detail: string,
  ) {
    super(detail);
  }
}

export function refuse(reason: RefusalReason, detail: string): Refusal {
  return { ok: false, reason, detail };
}
