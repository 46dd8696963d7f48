// What the reference says before its operations: the conventions that hold for all of them.

export function introduction(publicUrl: string): string {
  return `The API of the platform: track who reads your published Notion pages, ask what came of it, and be told by webhooks.

**Key.** Send \`Authorization: Bearer nak_…\` and, with nearly every request, \`X-Workspace-Id: ws_…\`, the workspace the key
belongs to; \`GET /api/v1/workspaces\` names it. Keys are narrow: each operation says which scope it needs.

**Form.** JSON in UTF-8, names in \`snake_case\`, times in RFC 3339 (UTC, with milliseconds), ids as TypeIDs. Unknown fields and
parameters are refused. Bodies may have 1 MiB. In answers a field that is not set is null, never left out. Answers may gain
fields: ignore what you do not know.

**Lists** are answered as \`{data, has_more, next_cursor}\`; ask for the next page with \`cursor\`, and the same filters.

**Again.** Send an \`Idempotency-Key\` with every POST: a request that is repeated with it is done once, also when the answer was
a 5xx or never came.

**Versions.** A single thing carries an \`ETag\`. \`If-None-Match\` saves the transfer, \`If-Match\` keeps you from overwriting what
somebody else has changed.

**Limits.** \`RateLimit\` and \`RateLimit-Policy\` say on every answer to a valid key what is left; 429 says in \`Retry-After\` how long to wait.

**Problems** are documents of RFC 9457 with a \`code\` from a [closed list](${publicUrl}/problems), and with a pointer to each
field that is wrong. Besides what an operation lists, any request can meet \`method_not_allowed\` (405), \`request_timeout\` (408)
and \`headers_too_large\` (431). Every answer has an \`X-Request-Id\`: give it when you ask about a request.`;
}
