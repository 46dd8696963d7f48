// A client of the public API that keeps every answer it got, but for the member of one that is there to show a secret.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Json } from '@na/testing';

export interface Request {
  headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  body?: Json;
}

export class RecordingClient {
  private readonly answers: string[] = [];

  constructor(private readonly url: string) {}

  /** Heads and bodies of all answers. */
  get text(): string {
    return this.answers.join('\n');
  }

  async send(method: string, path: string, { headers, body }: Request = {}): Promise<{ status: number; body: Json }> {
    const { status, head, content } = await this.fetch(method, path, { headers, body });
    this.answers.push(`${head}\n${content}`);
    return { status, body: content ? JSON.parse(content) : undefined };
  }

  /** For the one answer that shows a secret. @throws unless it does */
  async sendForSecret(method: string, path: string, request: Request = {}): Promise<{ id: string; secret: string }> {
    const { head, content } = await this.fetch(method, path, request);
    const { secret, ...rest } = JSON.parse(content) as { id: string; secret: string };
    if (!secret) throw new Error(`${method} ${path} shows no secret: ${head} ${content}`);
    this.answers.push(`${head}\n${JSON.stringify(rest)}`);
    return { id: rest.id, secret };
  }

  /** Bytes that need not be HTTP. */
  async sendRaw(bytes: string): Promise<void> {
    const socket = connect(Number(new URL(this.url).port), '127.0.0.1');
    socket.end(bytes);
    this.answers.push(await text(socket));
  }

  private async fetch(method: string, path: string, { headers, body }: Request) {
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const typed = sent === undefined ? headers : { 'content-type': 'application/json', ...headers };
    const response = await fetch(this.url + path, { method, headers: typed, body: sent });
    const head = `${method} ${response.status} ${JSON.stringify([...response.headers])}`;
    return { status: response.status, head, content: await response.text() };
  }
}
