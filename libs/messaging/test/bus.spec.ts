import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { Controller, Module } from '@nestjs/common';
import { connect } from '@nats-io/transport-node';
import { HitSchema, streams } from '@na/contracts';
import { createHost, systemClock } from '@na/service-host';
import { eventually, TestBed } from '@na/testing';
import { connectBus, natsOptions, OnMessages, serveOnBus, type Received } from '../src/index.js';

@Controller()
class HitsController {
  @OnMessages({ stream: streams.hits, durable: 'test', filter: 'na.hits.v1.>', message: HitSchema, maxBatch: 1, maxInFlight: 1, maxTries: 1 })
  async hits(batch: Received<typeof HitSchema>[]): Promise<void> {
    expect(batch).toHaveLength(1);
  }
}

@Module({ controllers: [HitsController] })
class TestModule {}

let bed: TestBed;
beforeAll(async () => void (bed = await TestBed.start()));
afterAll(() => bed.stop());

function hostThatNotes(failures: string[]) {
  return createHost('test', 'silent', systemClock, (error) => failures.push(error.message));
}

test('a message that the bus never takes is refused at once, not after 10 s of trying', async () => {
  const body = toBinary(HitSchema, create(HitSchema, { id: 'x'.repeat(9 * 1024 * 1024) }));
  const startedAt = performance.now();
  await expect(bed.publisher.publish({ subject: 'na.hits.v1.0.ws_1', body, id: 'large' })).rejects.toMatchObject({ code: 'payload_too_large' });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

test('a connection or consumer that ends outside a stop is the end of the process', async () => {
  const failures: string[] = [];
  const { host, close } = hostThatNotes(failures);
  const bus = await connectBus({ natsUrl: bed.natsUrl, streamReplicas: 1 }, host);
  await serveOnBus(TestModule, bus, bed.natsUrl, host);
  await bus.connection.close();
  await close();
  expect(failures.sort()).toEqual(['the connection to the bus was closed', 'the consumer test has ended']);
});

test('a stop is not a failure, and neither is a restart of nats-server', async () => {
  const failures: string[] = [];
  const { host, close } = hostThatNotes(failures);
  const bus = await connectBus({ natsUrl: bed.natsUrl, streamReplicas: 1 }, host);
  await serveOnBus(TestModule, bus, bed.natsUrl, host);
  await bed.restartNats();
  await eventually(() => bus.connection.flush());
  await close();
  expect(failures).toEqual([]);
});

test('tls:// is not content with a server that speaks in the clear', async () => {
  const options = natsOptions(bed.natsUrl.replace('nats:', 'tls:'), 'test');
  await expect(connect({ ...options, waitOnFirstConnect: false, maxReconnectAttempts: 0 })).rejects.toThrow(/tls/);
});
