// What the reference says of /api/v1/track.
import { z } from 'zod';
import { plain, ref } from '../openapi/answer.js';
import { exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';

export const trackingTag: Tag = { name: 'Tracking', description: 'Hits sent by your own servers: who came, to which page, and what was done there.' };

const faults = z.array(z.unknown().meta(ref('FieldFault')));

const results = plain(
  'HitResults',
  'What became of each hit, in their order. The accepted ones are stored and will not be lost.',
  z.object({
    results: z.array(
      z.object({
        hit_id: z.string().nullable().describe('Its id: yours, or the one it was given. Null when what was sent as one can not be an id.'),
        occurred_at: z.iso.datetime().optional().describe('With the id, what a hit that is sent again is known by. Only of accepted hits.'),
        status: z.enum(['accepted', 'rejected']).describe('Whether it was stored.'),
        error: z
          .object({
            code: z.string().describe('For programs: `invalid_request`, or `not_found` when all that is wrong is its page.'),
            detail: z.string().describe('For people.'),
            errors: faults.describe('What is wrong with single fields: at most 50 of a hit, and 1,000 of a request. Empty, as `detail` says, once these are told.'),
          })
          .optional()
          .describe('Why it was rejected. Sent again as it is, it will be rejected again, unless its page is there by then.'),
      }),
    ).describe('One for each hit.'),
  }),
  { results: [{ hit_id: 'order-4711', occurred_at: '2026-03-01T12:00:00.000Z', status: 'accepted' }] },
);

export const trackingOperations = operations({
  track: {
    id: 'track',
    summary: 'Send hits',
    description:
      'One hit, or up to 1,000 as `{"hits": […]}`. Each is judged alone: the answer is 202 when at least one was accepted, and says of each what became of it. ' +
      'A hit with a `page_id` that the workspace does not have is rejected with `not_found`, and a request in which nothing else is wrong and no hit is good is 404. ' +
      'A `url` is no id: a hit with an address that is not tracked is accepted, stored without a page, and meets only goals that are not tied to one. A hit that is sent again with the same `hit_id` and `occurred_at` counts once. When some could not be stored the answer is 503, with `results` in the problem: send again those that are `unconfirmed`.',
    answer: results,
    problems: ['not_found'],
    bodies: {
      'one pageview': { page_id: exampleId('page'), type: 'pageview', visitor: { id: 'v_5f2b9c0e41d7a386' }, referrer: 'https://news.ycombinator.com/' },
      'several hits': {
        hits: [
          { url: 'https://acme.notion.site/Pricing-1f0c', type: 'pageview', visitor: { ip: '203.0.113.7', user_agent: 'Mozilla/5.0' }, utm: { source: 'newsletter' } },
          { page_id: exampleId('page'), type: 'event', name: 'signup', hit_id: 'order-4711', visitor: { id: 'v_5f2b9c0e41d7a386' }, props: { plan: 'team', seats: 5 } },
        ],
      },
    },
  },
});
