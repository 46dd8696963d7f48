import { expect, test } from '@jest/globals';
import { livingSecrets } from './living-secrets.js';
import { previousAfter } from './secret-rotation.js';
import { parseSealingKeys, SecretBox } from './secret-box.js';

const box = new SecretBox(parseSealingKeys([`1:${Buffer.alloc(32, 1).toString('base64')}`]));
const now = new Date('2026-03-01T12:00:00.000Z');
const seal = (secret: string) => box.seal(secret, 'we_1');
const previous = (secret: string, secondsLeft: number) => ({ sealed: seal(secret).toString('base64'), until: new Date(now.getTime() + secondsLeft * 1_000).toISOString() });

test('the secrets before the current one sign until their end, to the millisecond', () => {
  const row = { endpoint_id: 'we_1', sealed_secret: seal('c'), previous_secrets: [previous('b', 60), previous('a', 0.001), previous('old', 0)] };
  expect(livingSecrets(row, box)(now)).toEqual({ current: 'c', previous: ['b', 'a'] });
});

test('a rotation puts the current secret first among the previous, and leaves out what is over', () => {
  const after = previousAfter(seal('c'), [previous('b', 60), previous('old', -1)], 3_600, now);
  expect(livingSecrets({ endpoint_id: 'we_1', sealed_secret: seal('d'), previous_secrets: after }, box)(now)).toEqual({ current: 'd', previous: ['c', 'b'] });
  expect(after[0]!.until).toBe('2026-03-01T13:00:00.000Z');
});

test('at most five sign along: a sixth is refused with when the next one is possible, unless all are to end at once', () => {
  const five = [5, 4, 3, 2, 1].map((seconds) => previous(`s${seconds}`, seconds));
  expect(() => previousAfter(seal('c'), five, 1, now)).toThrow(/5 earlier secrets.*2026-03-01T12:00:01\.000Z/);
  expect(previousAfter(seal('c'), five, 0, now)).toEqual([]);
  expect(previousAfter(seal('c'), five.slice(0, 4), 1, now)).toHaveLength(5);
});
