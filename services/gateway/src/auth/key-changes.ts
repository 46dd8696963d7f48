// Hears which keys have changed, in two ways that say the same: the feed, which repeats what was missed while the bus was
// away, and the question that key-management waits on, which is answered once the change is applied here.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { DeliverPolicy } from '@nats-io/jetstream';
import { metrics } from '@opentelemetry/api';
import { applyKeyChangeSubject, KeyChangeAppliedSchema, KeyChangedSchema, streams, type KeyChanged } from '@na/contracts';
import type { Bus } from '@na/messaging';
import type { Host } from '@na/service-host';

const applied = metrics.getMeter('gateway').createCounter('gateway.key_changes', { description: 'Changes of keys applied to what is remembered, by the way they came.' });

type Apply = (change: KeyChanged) => void;

/** Hears every change that is made after this has resolved. */
export async function hearKeyChanges(bus: Bus, gatewayId: string, apply: Apply, host: Host): Promise<void> {
  answerQuestions(bus, gatewayId, apply, host);
  await followFeed(bus, apply, host);
  await bus.connection.flush();
}

/** What can't be read is not answered: key-management then waits for the end of the lease. */
function answerQuestions({ connection }: Bus, gatewayId: string, apply: Apply, host: Host): void {
  const answer = toBinary(KeyChangeAppliedSchema, create(KeyChangeAppliedSchema, { gatewayId }));
  const subscription = connection.subscribe(applyKeyChangeSubject, {
    callback: (error, message) => {
      if (error) return host.fail(new Error('key changes can not be heard', { cause: error }));
      const change = read(message, host);
      if (!change) return;
      apply(change);
      applied.add(1, { way: 'asked' });
      message.respond(answer);
    },
  });
  host.onStop('key changes', () => subscription.unsubscribe());
}

/**
 * An ordered consumer goes on where it was after a reconnect. The first message is named, so that one that has seen none yet
 * begins there, and not with all that the stream holds.
 */
async function followFeed({ js, manager }: Bus, apply: Apply, host: Host): Promise<void> {
  const { name, subjects } = streams.keyChanges;
  const { state } = await manager.streams.info(name);
  const consumer = await js.consumers.get(name, { filter_subjects: subjects, deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: state.last_seq + 1 });
  const messages = await consumer.consume({
    callback: (message) => {
      const change = read(message, host);
      if (!change) return;
      apply(change);
      applied.add(1, { way: 'feed' });
    },
  });
  let stopping = false;
  host.onStop('key change feed', () => {
    stopping = true;
    messages.stop();
  });
  void messages.closed().then((error) => {
    if (!stopping) host.fail(new Error('the feed of key changes has ended', { cause: error }));
  });
}

function read({ data, subject }: { data: Uint8Array; subject: string }, { logger }: Host): KeyChanged | undefined {
  try {
    return fromBinary(KeyChangedSchema, data);
  } catch (error) {
    logger.error({ err: error, subject }, 'a key change could not be read');
    return undefined;
  }
}
