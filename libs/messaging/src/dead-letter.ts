// A message that its consumer gave up on, as it goes to the dead-letter stream: its own body and headers, and what says
// where it came from and why. Pure.
import type { JsMsg } from '@nats-io/jetstream';
import { deadLetterSubject } from '@na/contracts';
import { redact } from '@na/service-host';
import type { Publication } from './publisher.js';

const maxErrorLength = 500;

export function deadLetterOf(message: JsMsg, stream: string, durable: string, error: unknown): Publication {
  return {
    subject: deadLetterSubject(stream, durable),
    body: message.data,
    id: `${stream}:${durable}:${message.seq}`,
    headers: {
      ...ownHeaders(message),
      'na-subject': message.subject,
      'na-stream': stream,
      'na-sequence': String(message.seq),
      'na-durable': durable,
      'na-error': describe(error),
    },
  };
}

/** Those of JetStream itself belong to the stream the message was in: as headers of a publish they would be orders. */
function ownHeaders({ headers }: JsMsg): Record<string, string> {
  const names = (headers?.keys() ?? []).filter((name) => !/^nats-/i.test(name));
  return Object.fromEntries(names.map((name) => [name, headers!.get(name)]));
}

/** A header's value is one line. */
function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return redact(text).replace(/[\r\n]+/g, ' ').slice(0, maxErrorLength);
}
