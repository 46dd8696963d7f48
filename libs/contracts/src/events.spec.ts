import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { EnvelopeSchema, eventData, eventExamples, eventPayload, eventTypes, newEvent } from './index.js';

test('the table of event types and the fields of the envelope name the same events', () => {
  const fields = EnvelopeSchema.oneofs[0]!.fields.map((field) => field.name);
  expect(eventTypes.map((type) => type.replaceAll('.', '_')).sort()).toEqual(fields.sort());
});

test.each(eventTypes)('%s is the same event on both sides of the bus', (type) => {
  const sent = newEvent({ type, workspaceId: 'ws_1', createdAt: new Date(0), data: eventExamples[type].data });
  const received = fromBinary(EnvelopeSchema, toBinary(EnvelopeSchema, sent));
  expect(eventPayload(received)).toEqual(eventPayload(sent));
});

test('event data is shown in snake_case, with milliseconds and with null for what is not set', () => {
  const event = newEvent({
    type: 'goal.converted',
    workspaceId: 'ws_1',
    createdAt: new Date(0),
    data: { goalId: 'goal_1', convertedAt: { seconds: 1n, nanos: 0 } },
  });
  expect(eventData(event)).toEqual({
    goal_id: 'goal_1',
    goal_name: '',
    page_id: '',
    hit_id: '',
    visitor_id: '',
    value: null,
    converted_at: '1970-01-01T00:00:01.000Z',
  });
});
