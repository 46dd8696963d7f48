import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { Controller, Module } from '@nestjs/common';
import { CreatePageRequestSchema, HitSchema, PageService, streams, type CreatePageRequest } from '@na/contracts';
import { eventually, TestBed } from '@na/testing';
import { OnMessages, RpcMethod, serveOnBus, type Received } from '../src/index.js';

const handed: string[] = [];
let lastHanded: (id: string) => void = () => undefined;

@Controller()
class TestController {
  @OnMessages({ stream: streams.hits, durable: 'test', filter: 'na.hits.v1.>', message: HitSchema, maxBatch: 10, maxInFlight: 100, maxTries: 5 })
  async hits(batch: Received<typeof HitSchema>[]): Promise<void> {
    for (const { message } of batch) {
      handed.push(message.id);
      lastHanded(message.id);
    }
  }

  @RpcMethod(PageService.method.createPage)
  async createPage({ url }: CreatePageRequest) {
    return { page: { url } };
  }
}

@Module({ controllers: [TestController] })
class TestModule {}

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start();
  await serveOnBus(TestModule, bed.bus, bed.natsUrl, bed.host('reporting'));
});
afterAll(() => bed.stop());

const count = 400;

test('what is published one after the other through a kill -9 of nats-server is handed over whole and in order', async () => {
  const all = new Promise<void>((resolve) => (lastHanded = (id) => id === String(count - 1) && resolve()));
  let restarted: Promise<void> | undefined;
  for (let i = 0; i < count; i++) {
    if (i === count / 2) restarted = bed.restartNats();
    await bed.publisher.publish({ subject: 'na.hits.v1.0.ws_1', body: toBinary(HitSchema, create(HitSchema, { id: String(i) })), id: String(i) });
  }
  await restarted;
  await all;
  // A message that was in hand at the kill may come twice; the first time it came is what order means.
  expect([...new Set(handed)]).toEqual(Array.from({ length: count }, (_, i) => String(i)));
});

test('requests are answered again after the bus is back', async () => {
  const pages = bed.rpc.client(PageService);
  await bed.restartNats();
  const { page } = await eventually(() => pages.createPage(create(CreatePageRequestSchema, { url: 'https://a.site' }), { timeoutMs: 500 }));
  expect(page?.url).toBe('https://a.site');
});
