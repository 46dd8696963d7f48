import { expect, test } from '@jest/globals';
import { EndpointTurns } from './endpoint-turns.js';

/** Each that has had its turn waits for another. */
function takeTurns(turns: EndpointTurns, count: number): string[] {
  return Array.from({ length: count }, () => {
    const id = turns.next()!;
    turns.add(id.slice(0, 1), id);
    return id;
  });
}

test('workspaces take turns however many endpoints they have, and so do the endpoints of each', () => {
  const turns = new EndpointTurns();
  for (const id of ['a1', 'a2', 'a3', 'b1']) turns.add(id.slice(0, 1), id);
  expect(takeTurns(turns, 8)).toEqual(['a1', 'b1', 'a2', 'b1', 'a3', 'b1', 'a1', 'b1']);
});

test('who waits already gets no second turn, and where nobody waits there is none', () => {
  const turns = new EndpointTurns();
  for (const id of ['a1', 'b1', 'a1']) turns.add(id.slice(0, 1), id);
  expect([turns.next(), turns.next(), turns.next()]).toEqual(['a1', 'b1', undefined]);
});
