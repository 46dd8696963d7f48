// What the reference says of /api/v1/webhooks/{id}/replays.
import { ReplaySchema } from '@na/contracts';
import { listOf, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';

export const replaysTag: Tag = { name: 'Replays', description: 'Sending again what a webhook has missed or refused in a stretch of time.' };

const replay = thing(
  'Replay',
  'A replay, and how far it is.',
  ReplaySchema,
  {
    id: exampleId('rpl'),
    workspaceId: exampleId('ws'),
    endpointId: exampleId('we'),
    status: 'running',
    since: at('2026-03-01T00:00:00.000Z'),
    until: at('2026-03-02T00:00:00.000Z'),
    statuses: ['failed'],
    includeMissed: true,
    ratePerSecond: 50,
    total: 1_840,
    totalIsPartial: false,
    done: 350,
    createdAt: at('2026-03-02T08:00:00.000Z'),
  },
  { status: { type: 'string', enum: ['planned', 'running', 'completed', 'cancelled'] } },
);

export const replayOperations = operations({
  create: {
    id: 'createReplay',
    summary: 'Start a replay',
    description: 'Counts first (for some seconds: with `total_is_partial` there are more than `total`), then makes all due at the given pace, and goes on after any crash. Each delivery gets a fresh run of the retry policy that the webhook has then: `max_attempts` becomes the attempts so far and the policy\'s, and the waits begin anew. `done` and `completed` say what was made due, not what was delivered: for that, see the deliveries. With `dry_run` it only counts. One at a time for each webhook.',
    answer: replay,
    body: { since: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z', statuses: ['failed'], include_missed: true, rate_per_second: 50 },
    problems: ['conflict'],
  },
  list: { id: 'listReplays', summary: 'List the replays of a webhook', answer: listOf(replay), query: { limit: 25 } },
  get: { id: 'getReplay', summary: 'Read a replay', answer: replay },
  cancel: { id: 'cancelReplay', summary: 'Cancel a replay', description: 'What was sent again already stays sent.', answer: replay, problems: ['conflict'] },
});
