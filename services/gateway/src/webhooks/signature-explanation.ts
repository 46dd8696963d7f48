// What the reference says of the answer to POST /api/v1/webhooks/signature/explain.
import { refusalReasons } from '@notion-analytics/webhook-signature';
import { z } from 'zod';
import { plain } from '../openapi/answer.js';

export const signatureExplanation = plain(
  'SignatureExplanation',
  'Whether the signature matches and, if not, why.',
  z.object({
    verdict: z
      .looseObject({
        ok: z.boolean().describe('Whether the request is genuine and recent.'),
        reason: z.enum(refusalReasons).optional().describe('For programs: why it is not.'),
        detail: z.string().optional().describe('For people: what to do about it. Of a request that is refused for its age alone it says first that the signature matches; of one that does not match, what most likely went wrong.'),
      })
      .describe('What a correct receiver would say; of a request that neither matches nor is recent, that it does not match.'),
    schemes: z
      .array(
        z.object({
          scheme: z.enum(['standard', 'raw-body']).describe('`standard` is that of the `webhook-*` headers, `raw-body` that of `X-Webhook-Signature`.'),
          signed: z.object({ text: z.string().describe('As text.'), bytes: z.int().describe('How many bytes it has.') }).describe('What the signature is made over.'),
          expected: z.string().describe('The signature that it should be.'),
          given: z
            .array(
              z.object({
                header: z.string().describe('Where it stood.'),
                value: z.string().describe('The signature.'),
                matches: z.boolean().describe('Whether it is the expected one.'),
                mistakes: z
                  .array(z.object({ code: z.string().describe('For programs.'), detail: z.string().describe('For people: how to mend it.') }))
                  .describe('Most likely why it does not match: one mistake, or several that were made together.'),
              }),
            )
            .describe('The signatures that came.'),
          matches: z.boolean().describe('Whether one of them is the expected one; the age of the request does not matter here.'),
        }),
      )
      .describe('Those whose headers came.'),
  }),
  {
    verdict: { ok: true },
    schemes: [
      {
        scheme: 'raw-body',
        signed: { text: '{"id":"evt_1"}', bytes: 14 },
        expected: 'sha256=0f5cbd2c1b1b6ac9a1ee0a2dcd3b3cd5f3e2f3c04b2b8a1e1de3a7d2ee43fd60',
        given: [
          {
            header: 'x-webhook-signature',
            value: 'sha256=0f5cbd2c1b1b6ac9a1ee0a2dcd3b3cd5f3e2f3c04b2b8a1e1de3a7d2ee43fd60',
            matches: true,
            mistakes: [],
          },
        ],
        matches: true,
      },
    ],
  },
);
