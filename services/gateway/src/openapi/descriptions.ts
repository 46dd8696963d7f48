// Gives every field of a schema a description: its own (from the zod schema, or from the comment in the contract), that of
// the field of the same name in what the operation answers, or what the name means throughout the API. Pure.
import type { JsonObject } from '@na/contracts';

/** Names that mean the same wherever they stand, so that the contracts need not repeat it. */
const glossary: Record<string, string> = {
  id: 'Its id: a TypeID, which sorts by the time it was made and is never given to another.',
  name: 'What people call it.',
  url: 'Its address.',
  title: 'Its title.',
  description: 'What it is for, for people.',
  type: 'Its type.',
  data: 'What is to be said of it.',
  value: 'Its value.',
  reason: 'Why, for people.',
  message: 'For people.',
  workspace_id: 'The workspace it belongs to.',
  page_id: 'The tracked page.',
  goal_id: 'The goal.',
  goal_name: 'What people call the goal.',
  hit_id: 'The hit.',
  key_id: 'The API key.',
  event_id: 'The event.',
  event_type: 'The type of the event.',
  endpoint_id: 'The webhook.',
  delivery_id: 'The delivery.',
  report_id: 'The report.',
  report_name: 'What people call the report.',
  run_id: 'The run of the report.',
  export_id: 'The export.',
  insight_id: 'The insight.',
  scopes: 'What the key may do.',
  last_four: 'End of the secret of the key, for people to tell their keys apart.',
  row_count: 'How many rows it has.',
  created_at: 'When it was made.',
  started_at: 'When it began.',
  completed_at: 'When it ended.',
  failed_at: 'When it failed.',
  verified_at: 'When that was found out.',
  converted_at: 'When the hit happened.',
  expires_at: 'When it stops working; null: never by itself.',
  rotated_at: 'When that was done.',
  revoked_at: 'When that was done.',
  disabled_at: 'Since when it is disabled.',
  disabled_at_earliest: 'When it will be disabled, at the earliest, if nothing succeeds.',
  failing_since: 'Since when no attempt has succeeded.',
  failed_attempts: 'How many attempts have failed since.',
  recovered_at: 'When an attempt succeeded again.',
  response_code: 'The HTTP status that the latest attempt was answered with; null when it got none.',
  error: 'Why no complete answer came, if none did.',
  period_start: 'Where the period begins.',
  period_end: 'Where the period ends; not part of it.',
  window_start: 'Where the window begins.',
  window_end: 'Where the window ends; not part of it.',
  traffic: 'What was counted, and what was to be expected.',
  visitors: 'Distinct visitors.',
  expected_visitors: 'How many there should have been.',
};

/** @param like of which fields of the same name are described, down through the levels that both have */
export function describeFields(schema: JsonObject, like?: JsonObject): JsonObject {
  const described = { ...schema };
  const properties = schema.properties as Record<string, JsonObject> | undefined;
  if (properties) {
    const fields = Object.entries(properties).map(([name, field]) => [name, describeField(name, field, fieldOf(like, name))] as const);
    described.properties = Object.fromEntries(fields);
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    if (Array.isArray(schema[keyword])) described[keyword] = (schema[keyword] as JsonObject[]).map((part) => describeFields(part, like));
  }
  if (schema.items) described.items = describeFields(schema.items as JsonObject, like?.items as JsonObject | undefined);
  return described;
}

function describeField(name: string, field: JsonObject, like: JsonObject | undefined): JsonObject {
  const description = field.description ?? like?.description ?? glossary[name];
  return { ...describeFields(field, like), ...(description !== undefined && { description }) };
}

function fieldOf(schema: JsonObject | undefined, name: string): JsonObject | undefined {
  if (!schema) return undefined;
  const own = (schema.properties as Record<string, JsonObject> | undefined)?.[name];
  const branches = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => (schema[keyword] ?? []) as JsonObject[]);
  return own ?? branches.map((branch) => fieldOf(branch, name)).find(Boolean);
}
