// Runs a Nest module whose controllers answer RPC (`@RpcMethod`) and handle events (`@OnMessages`).
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { nestLogger, type Host } from '@na/service-host';
import type { Bus } from './bus.js';
import { JetStreamServer } from './jetstream-server.js';
import { RpcServer } from './rpc-server.js';

/** Starts answering and registers the stop, which ends the work in hand first. */
export async function serveOnBus(module: Type | DynamicModule, bus: Bus, natsUrl: string, host: Host): Promise<void> {
  // Nest asks every hybrid application for an HTTP adapter; this one never listens.
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: nestLogger(host.logger), abortOnError: false });
  const rpc = new RpcServer(natsUrl, host.name);
  app.connectMicroservice({ strategy: rpc });
  app.connectMicroservice({ strategy: new JetStreamServer(bus, host) });
  await app.init();
  await app.startAllMicroservices();
  await rpc.listening();
  host.onStop('bus handlers', () => app.close());
}
