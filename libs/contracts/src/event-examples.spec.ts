import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { EnvelopeSchema, GoalConvertedSchema, eventPayloadSchema, eventTypes, examplePayload, messageSchema, reservedEventTypes, type JsonObject } from './index.js';

const validator = (schema: JsonObject) => new Ajv2020({ formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ } }).compile(schema);

test.each(eventTypes)("the example of %s is valid by the type's schema, and leaves no text empty", (type) => {
  const payload = examplePayload(type);
  const isValid = validator(eventPayloadSchema(type));
  expect([isValid(payload), isValid.errors]).toEqual([true, null]);
  expect(JSON.stringify(payload)).not.toContain('""');
  expect(payload).toMatchObject({ type, id: expect.stringMatching(/^evt_/), created_at: '2026-03-01T12:00:00.250Z' });
});

test('a schema refuses what lacks a field, is of another type, or is null without being optional', () => {
  const isValid = validator(eventPayloadSchema('goal.converted'));
  const payload = examplePayload('goal.converted') as { data: JsonObject };
  const withData = (data: object) => ({ ...payload, data: { ...payload.data, ...data } });
  expect(isValid({ ...payload, data: { goal_name: 'Signed up' } })).toBe(false);
  expect(isValid({ ...payload, type: 'goal.reached' })).toBe(false);
  expect([{ value: '49.5' }, { goal_id: null }, { converted_at: 'yesterday' }].map((data) => isValid(withData(data)))).toEqual([false, false, false]);
  expect([{ value: null }, { converted_at: '2026-01-01T00:00:00.000Z' }].map((data) => isValid(withData(data)))).toEqual([true, true]);
});

test('a field that may be unset is shown as one that may be null, a list as an array', () => {
  const { properties } = eventPayloadSchema('key.created') as { properties: { data: JsonObject } };
  expect(properties.data).toEqual({
    type: 'object',
    properties: {
      key_id: { type: 'string' },
      name: { type: 'string' },
      scopes: { type: 'array', items: { type: 'string' } },
      expires_at: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      last_four: { type: 'string' },
    },
    required: ['key_id', 'name', 'scopes', 'expires_at', 'last_four'],
  });
  expect(messageSchema(EnvelopeSchema)).toHaveProperty('properties.webhook_test.type', 'object');
});

test('the documentation for receivers names every event type', () => {
  const documented = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8').split('## Event types')[1]!.split('\n## ')[0]!;
  expect(eventTypes.filter((type) => !documented.includes(`\`${type}\``))).toEqual([]);
});

test('reserved are those event types that no service tells of, and no others', () => {
  const services = new URL('../../../services/', import.meta.url);
  const sources = globSync('*/src/**/*.ts', { cwd: services }).map((path) => readFileSync(new URL(path, services), 'utf8'));
  const isTold = (type: string) => sources.some((source) => source.includes(`type: '${type}'`));
  // A test delivery is of whichever type it is asked for.
  expect(eventTypes.filter((type) => type !== 'webhook.test' && !isTold(type))).toEqual(reservedEventTypes);
});

test('the documentation for receivers says of each reserved type that it is not sent yet, and of no other', () => {
  const documented = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8').split('## Event types')[1]!.split('\n## ')[0]!;
  const reserved = documented.slice(documented.indexOf('not sent yet'));
  expect(eventTypes.filter((type) => reserved.includes(`\`${type}\``))).toEqual(reservedEventTypes);
});

test('a field is described by the comment that its contract has on it', () => {
  expect(messageSchema(GoalConvertedSchema)).toHaveProperty('properties.visitor_id.description', 'Opaque and stable for one visitor of one workspace.');
});

test('what is inside a message can be referred to', () => {
  const schema = messageSchema(EnvelopeSchema, (inner) => ({ $ref: inner.name }));
  expect(schema).toHaveProperty('properties.webhook_test.$ref', 'WebhookTest');
});
