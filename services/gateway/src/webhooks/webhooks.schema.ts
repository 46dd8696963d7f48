// What a client may say of a webhook. Which event types exist is for the dispatcher to say.
import { z } from 'zod';
import { httpUrl, text, textOrEmpty } from '../http/field-schemas.js';

const retryPolicy = z.strictObject({
  base_seconds: z.number().min(1).max(86_400).default(5),
  factor: z.number().min(1).max(10).default(4),
  max_seconds: z.number().min(1).max(86_400).default(43_200),
  max_attempts: z.int().min(1).max(30).default(12),
});

export const newWebhook = z.strictObject({
  url: httpUrl,
  description: textOrEmpty(500).default(''),
  event_types: z.array(text(100)).min(1).max(50),
  retry_policy: retryPolicy.nullish(),
  timeout_ms: z.int().min(1_000).max(30_000).nullish(),
});

export type NewWebhook = z.infer<typeof newWebhook>;
