import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { Controller, Module } from '@nestjs/common';
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { HitSchema, streams } from '@na/contracts';
import { eventually, TestBed } from '@na/testing';
import { OnMessages, serveOnBus, type Received } from '../src/index.js';

/** What each consumer under test was handed, batch by batch, and how it answers. */
const handed: Received<typeof HitSchema>[][] = [];
let respond: (batch: Received<typeof HitSchema>[]) => Promise<void> = async () => undefined;

@Controller()
class HitsController {
  @OnMessages({ stream: streams.hits, durable: 'test', filter: 'na.hits.v1.>', message: HitSchema, maxBatch: 10, maxInFlight: 100, maxTries: 1 })
  async hits(batch: Received<typeof HitSchema>[]): Promise<void> {
    await respond(batch);
    handed.push(batch);
  }
}

@Module({ controllers: [HitsController] })
class TestModule {}

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start();
  await serveOnBus(TestModule, bed.bus, bed.natsUrl, bed.host('reporting'));
});
afterAll(() => bed.stop());

function publish(id: string, body = toBinary(HitSchema, create(HitSchema, { id }))): Promise<void> {
  return bed.publisher.publish({ subject: `na.hits.v1.0.ws_${id}`, body, id });
}

/** Resolves with the ids handed over, once the last of them has been. */
function handedOver(last: string): Promise<string[]> {
  return new Promise((resolve) => {
    const inner = respond;
    respond = async (batch) => {
      await inner(batch);
      if (batch.some(({ message }) => (message).id === last)) setImmediate(() => resolve(handed.flat().map(({ message }) => (message).id)));
    };
  });
}

async function deadLetter(): Promise<JsMsg> {
  const consumer = await bed.bus.js.consumers.get(streams.deadLetters.name, { deliver_policy: DeliverPolicy.LastPerSubject, filter_subjects: 'na.dead.>' });
  for await (const message of await consumer.consume()) return message;
  throw new Error('closed');
}

test('a message whose publish is repeated is handed over once', async () => {
  const all = handedOver('b');
  await publish('a');
  await publish('a');
  await publish('b');
  expect((await all).filter((id) => id === 'a')).toHaveLength(1);
});

test('one message that can not be handled goes to the dead-letter stream and holds up no other', async () => {
  respond = async (batch) => {
    if (batch.some(({ message }) => message.id === 'poison')) throw new Error('can not\nat postgres://na:hunter2@db/na');
  };
  const all = handedOver('after');
  await Promise.all([publish('before'), publish('poison'), publish('after')]);
  await all;
  const { data, headers } = await deadLetter();
  expect(data).toEqual(toBinary(HitSchema, create(HitSchema, { id: 'poison' })));
  expect(headers!.get('na-subject')).toBe('na.hits.v1.0.ws_poison');
  expect(headers!.get('na-durable')).toBe('test');
  expect(Number(headers!.get('na-sequence'))).toBeGreaterThan(0);
  expect(headers!.get('na-error')).toBe('Error: can not at postgres://na:[redacted]@db/na');
});

test('a message that fails for what is wrong around it is tried until that has passed, beyond its last try', async () => {
  let failures = 0;
  respond = async (batch) => {
    if (!batch.some(({ message }) => message.id === 'patient') || failures === 2) return;
    failures += 1;
    throw Object.assign(new Error('cannot execute INSERT in a read-only transaction'), { code: '25006' });
  };
  const all = handedOver('patient');
  await publish('patient');
  expect(await all).toContain('patient');
  expect(failures).toBe(2);
});

@Controller()
class UnsettlingController {
  @OnMessages({ stream: streams.hits, durable: 'unsettling', filter: 'na.hits.v1.9.>', message: HitSchema, maxBatch: 1, maxConcurrentBatches: 5, maxInFlight: 100, maxTries: 3 })
  async hits([received]: Received<typeof HitSchema>[]): Promise<void> {
    // Its message can not be made a string.
    throw Object.assign(new Error(), { sequence: received!.sequence, message: Object.create(null) as unknown });
  }
}

@Module({ controllers: [UnsettlingController] })
class UnsettlingModule {}

test('a batch that can neither be handled nor settled ends its process, while the consumer has room for others and waits for none', async () => {
  const failures: Error[] = [];
  const host = { ...bed.host('reporting'), fail: (error: Error) => void failures.push(error) };
  await serveOnBus(UnsettlingModule, bed.bus, bed.natsUrl, host);
  await bed.publisher.publish({ subject: 'na.hits.v1.9.ws_x', body: toBinary(HitSchema, create(HitSchema, { id: 'x' })), id: 'x' });
  await eventually(async () => expect(failures).not.toEqual([]));
  expect(failures[0]).toMatchObject({ message: 'the consumer unsettling has ended', cause: expect.any(TypeError) });
});
