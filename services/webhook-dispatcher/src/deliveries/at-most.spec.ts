import { expect, test } from '@jest/globals';
import { atMost } from './at-most.js';

test('what hangs is asked once, however many wait for it, and asked anew after it has answered', async () => {
  const answers: PromiseWithResolvers<string>[] = [];
  const ask = atMost(60_000, () => {
    answers.push(Promise.withResolvers());
    return answers.at(-1)!.promise;
  });
  const asked = [ask(), ask()];
  expect(answers).toHaveLength(1);
  answers[0]!.resolve('first');
  expect(await Promise.all(asked)).toEqual([{ value: 'first' }, { value: 'first' }]);
  const again = ask();
  expect(answers).toHaveLength(2);
  answers[1]!.resolve('second');
  expect(await again).toEqual({ value: 'second' });
});

test('who asks what fails or hangs is told nothing', async () => {
  expect(await atMost(60_000, () => Promise.reject(new Error('gone')))()).toBeUndefined();
  expect(await atMost(1, () => new Promise(() => undefined))()).toBeUndefined();
});
