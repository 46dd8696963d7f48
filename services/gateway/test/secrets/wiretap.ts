// Hears every message on the bus, and reads what the streams keep.
import { jetstreamManager } from '@nats-io/jetstream';
import { natsOptions } from '@na/messaging';
import { connect, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';

interface Message {
  subject: string;
  header?: MsgHdrs;
  data: Uint8Array;
}

export class Wiretap {
  private readonly heard: string[] = [];

  private constructor(private readonly connection: NatsConnection) {}

  static async start(natsUrl: string): Promise<Wiretap> {
    const tap = new Wiretap(await connect(natsOptions(natsUrl, 'wiretap')));
    const callback = (_error: unknown, { subject, headers: header, data }: { subject: string; headers?: MsgHdrs; data: Uint8Array }) =>
      void tap.heard.push(textOf({ subject, header, data }));
    tap.connection.subscribe('>', { callback });
    await tap.connection.flush();
    return tap;
  }

  /** What was sent on the bus so far. */
  get text(): string {
    return this.heard.join('\n');
  }

  /** What all streams hold now. */
  async streams(): Promise<string> {
    const manager = await jetstreamManager(this.connection);
    const kept: string[] = [];
    for await (const { config, state } of manager.streams.list()) {
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const message = await manager.streams.getMessage(config.name, { seq }).catch(() => null);
        if (message) kept.push(textOf(message));
      }
    }
    return kept.join('\n');
  }

  async stop(): Promise<void> {
    await this.connection.close();
  }
}

/** Bytes as characters of their own: text in a protobuf message can be read in it. */
function textOf({ subject, header, data }: Message): string {
  const named = header ? [...header.keys()].map((name) => `${name}: ${header.values(name).join()}`) : [];
  return [subject, ...named, Buffer.from(data).toString('latin1')].join('\n');
}
