import { expect, test } from '@jest/globals';
import { createLogger } from './logger.js';

const secret = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y';

test('neither messages, fields, errors nor the parameters of a query let a secret out', () => {
  const lines: string[] = [];
  const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  const key = `nak_01h45ytscbebyvny4gc8cr8ma2_${secret}`;
  const failed = Object.assign(new Error(`no such key ${key}`), { parameters: [secret], cause: new Error(key) });
  logger.info({ authorization: secret, nested: { secret } }, key);
  logger.error({ err: failed }, 'failed');
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain(secret);
});
