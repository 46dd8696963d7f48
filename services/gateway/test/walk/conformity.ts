// Holds an answer against what the document says of it: status, code, headers, and every field of the body.
import { expect } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isIP } from 'node:net';
import { document, resolved, type DescribedOperation, type Json } from './described-operations.js';

export interface Answer {
  status: number;
  headers: Headers;
  body: Json;
}

/** Times in answers are always in UTC and always have milliseconds. */
const formats = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  uri: (text: string) => URL.canParse(text),
  'uri-reference': true,
  email: /^[^@\s]+@[^@\s]+$/,
  ipv4: (text: string) => isIP(text) === 4,
  ipv6: (text: string) => isIP(text) === 6,
} as const;

const ajv = new Ajv2020({ strict: false, allErrors: true, formats }).addSchema(document, 'api');

export function faultsOf(schema: { $ref: string }, value: unknown): string[] {
  const validate = ajv.getSchema(`api${schema.$ref}`) as ValidateFunction;
  return validate(value) ? [] : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** Fields of a value that the schema does not tell of: clients may get more than they were told, but the document is to be complete. */
export function untold(schema: Json, value: Json, path = ''): string[] {
  if (Array.isArray(value)) return itemsOf(schema).length > 0 ? value.flatMap((item, index) => untold(itemsOf(schema)[0], item, `${path}/${index}`)) : [];
  if (typeof value !== 'object' || value === null) return [];
  const told = propertiesOf(schema);
  if (told.length === 0 || isOpen(schema)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = told.find(([own]) => own === name);
    return field ? untold(field[1], inner, `${path}/${name}`) : [`${path}/${name}`];
  });
}

function variantsOf(schema: Json): Json[] {
  const { allOf = [], anyOf = [], oneOf = [] } = resolved(schema);
  return [resolved(schema), ...[...allOf, ...anyOf, ...oneOf].flatMap(variantsOf)];
}

const propertiesOf = (schema: Json) => variantsOf(schema).flatMap(({ properties = {} }) => Object.entries<Json>(properties));
const itemsOf = (schema: Json) => variantsOf(schema).flatMap(({ items }) => (items ? [items] : []));
const isOpen = (schema: Json) => variantsOf(schema).some(({ additionalProperties }) => additionalProperties);

/** Headers that come with some answers of a status only. */
const conditional = new Set(['idempotency-replayed', 'ratelimit', 'ratelimit-policy', 'www-authenticate', 'retry-after']);

export function expectAsDocumented({ name, answers }: DescribedOperation, { status, headers, body }: Answer): void {
  const described = answers[status];
  expect({ name, status, body, isDescribed: described !== undefined }).toMatchObject({ isDescribed: true });
  expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
  const missing = Object.keys(described.headers ?? {}).filter((header) => !conditional.has(header.toLowerCase()) && !headers.has(header));
  expect({ name, status, missing }).toEqual({ name, status, missing: [] });
  const [type, content] = Object.entries<Json>(described.content ?? {})[0] ?? [];
  if (!type) return expect(body).toBeUndefined();
  expect(headers.get('content-type')).toMatch(type);
  expect({ name, status, faults: faultsOf(content.schema, body), untold: untold(content.schema, body) }).toEqual({ name, status, faults: [], untold: [] });
}

/** A problem of the operation: as documented, with the code, and with the headers that tell how to come back. */
export function expectProblem(operation: DescribedOperation, answer: Answer, status: number, code: string): void {
  const { name, codes } = operation;
  expect({ name, status: answer.status, code: answer.body?.code, detail: answer.body?.detail }).toMatchObject({ name, status, code });
  expect({ name, codes: codes[status] }).toEqual({ name, codes: expect.arrayContaining([code]) });
  expectAsDocumented(operation, answer);
  expect(answer.body).toMatchObject({ status, request_id: answer.headers.get('x-request-id'), type: expect.stringMatching(new RegExp(`/problems/${code}$`)) });
  if (status === 401 || code === 'insufficient_scope') expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="api"/);
  if ([429, 503, 504].includes(status)) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
}

/** The pointers and codes of the fields that a problem names. */
export function fieldsOf({ body }: Answer): string[] {
  return body.errors?.map(({ pointer, code }: Json) => `${pointer} ${code}`) ?? [];
}
