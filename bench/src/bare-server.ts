// A server that does nothing but answer: bare Fastify, or bare Nest on Fastify. Forked by gateway.ts as `bare-server.ts
// fastify|nest`, which sends the body to answer and is sent the port.
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastify, type FastifyInstance } from 'fastify';

process.once('message', (body) => void serve(body as object));

async function serve(body: object): Promise<void> {
  const server = await (process.argv[2] === 'nest' ? bareNest(body) : bareFastify(body));
  process.send!((server.server.address() as AddressInfo).port);
}

async function bareFastify(body: object): Promise<FastifyInstance> {
  const server = fastify();
  server.get('/api/v1/event-types', async () => body);
  await server.listen({ port: 0, host: '127.0.0.1' });
  return server;
}

async function bareNest(body: object): Promise<FastifyInstance> {
  class Bare {
    list() {
      return body;
    }
  }
  // Applied by hand: Node.js strips types and knows no decorators.
  Get()(Bare.prototype, 'list', Object.getOwnPropertyDescriptor(Bare.prototype, 'list')!);
  Controller('/api/v1/event-types')(Bare);
  class BareModule {}
  Module({ controllers: [Bare] })(BareModule);
  const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  return app.getHttpAdapter().getInstance();
}
