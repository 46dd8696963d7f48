// What the reference says of /api/v1/keys/leaked.
import { z } from 'zod';
import { plain } from '../openapi/answer.js';
import { operations } from '../openapi/operation.js';
import { maxKeysPerMinute, maxReportsPerMinute } from '../limits/leak-reports.js';
import { exampleCredential } from './keys.reference.js';

const receipt = plain('LeakReceipt', 'The report was received. What became of it is not said.', z.object({ status: z.literal('received').describe('The same for every report.') }), {
  status: 'received',
});

export const leakOperations = operations({
  report: {
    id: 'reportLeakedKeys',
    summary: 'Report leaked keys',
    description:
      'For whoever finds a key where it does not belong, such as a secret scanner: having it is enough to have it revoked. ' +
      'A report is carried out whole, and its answer is the same whether something was revoked or not. ' +
      `An address may send ${maxReportsPerMinute} reports in a minute, with ${maxKeysPerMinute} keys between them; of a report that is beyond that nothing is done.`,
    answer: receipt,
    bodies: { 'one key': { key: exampleCredential }, 'several keys': { keys: [exampleCredential] } },
    problems: ['rate_limited', 'unavailable', 'deadline_exceeded'],
  },
});
