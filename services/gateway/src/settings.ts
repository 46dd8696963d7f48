// The settings of the gateway besides those of every service.
import { databaseSettings, list, port, publicUrl, wholeNumber, type Setting } from '@na/service-host';
import { z } from 'zod';

const minOperatorTokenLength = 32;
const cursorKeyBytes = 32;

export const settings = {
  ...databaseSettings,
  port: {
    description: 'Port of the public API; 0 takes a free one.',
    schema: port,
    default: '3000',
  } satisfies Setting<number>,
  host: {
    description: 'Address the public API listens on.',
    schema: z.string().min(1, 'must not be empty'),
    default: '0.0.0.0',
  } satisfies Setting<string>,
  publicUrl: {
    description:
      'Where clients reach this API, such as https://api.example.com; stands in the addresses that answers contain. Unset: http://localhost:PORT.',
    schema: publicUrl,
    default: '',
  } satisfies Setting<string | undefined>,
  operatorToken: {
    description: `Whoever presents this token as the API key is the operator of the installation. At least ${minOperatorTokenLength} characters.`,
    schema: z.string().min(minOperatorTokenLength, `must have at least ${minOperatorTokenLength} characters`),
    secret: true,
  } satisfies Setting<string>,
  cursorKey: {
    description: 'At least 32 random bytes in base64: signs list cursors and salts the ids of visitors that come without one. The same for all replicas.',
    schema: z
      .base64('must be base64')
      .transform((text) => Buffer.from(text, 'base64'))
      .refine((key) => key.length >= cursorKeyBytes, `must be at least ${cursorKeyBytes} bytes`),
    secret: true,
  } satisfies Setting<Buffer>,
  trustedProxies: {
    description: 'Addresses or CIDR ranges of the reverse proxies in front, separated by commas: only from them is X-Forwarded-For believed.',
    schema: list,
    default: '',
  } satisfies Setting<string[]>,
  rateLimit: {
    description: 'Requests that a key without a rate limit of its own may make in each window, over all replicas.',
    schema: wholeNumber(1, 100_000),
    default: '600',
  } satisfies Setting<number>,
  rateLimitWindowSeconds: {
    description: 'Length of that window.',
    schema: wholeNumber(1, 3_600),
    default: '60',
  } satisfies Setting<number>,
  failedCredentialsPerMinute: {
    description:
      'Requests with an API key that is not valid that one address (an IPv4 address or an IPv6 /64 network) may make in a minute, per replica, ' +
      'before keys from there are looked up no more. A secret that was right once counts only against itself.',
    schema: wholeNumber(1, 100_000),
    default: '30',
  } satisfies Setting<number>,
};
