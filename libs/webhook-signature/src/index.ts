// The verifier of Notion Analytics webhooks, published for those who receive them.
export { assertWebhook, verifyWebhook, type Genuine, type VerifyOptions, type WebhookEvent } from './verify.js';
export { refusalReasons, WebhookSignatureError, type Refusal, type RefusalReason } from './refusal.js';
export { explainSignature, type ExplainOptions, type Explanation, type GivenSignature, type SchemeExplanation } from './explain.js';
export { mistakes, type Mistake } from './mistakes.js';
export { signWebhook, type SignOptions } from './sign.js';
export type { RawBody, RequestHeaders } from './request.js';
export type { Scheme } from './schemes.js';
