// A mail server inside the test: takes every mail and keeps it, or refuses all of them.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface ReceivedMail {
  recipients: string[];
  /** As it came over the wire, with \n at the ends of lines. */
  raw: string;
}

export class SmtpReceiver {
  readonly mails: ReceivedMail[] = [];
  /** How many mails were refused. */
  refused = 0;
  refusing = false;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<SmtpReceiver> {
    const server = createServer();
    const receiver = new SmtpReceiver(server);
    server.on('connection', (socket) => void receiver.talk(socket).catch(() => undefined));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
  }

  private async talk(socket: Socket): Promise<void> {
    const say = (line: string) => socket.write(`${line}\r\n`);
    let recipients: string[] = [];
    let data: string[] | undefined;
    say('220 test');
    for await (const line of createInterface({ input: socket, crlfDelay: Infinity })) {
      if (data) {
        if (line !== '.') data.push(line.replace(/^\.\./, '.'));
        else {
          this.mails.push({ recipients, raw: data.join('\n') });
          [recipients, data] = [[], undefined];
          say('250 kept');
        }
      } else if (/^RCPT TO/i.test(line)) {
        recipients.push(/<(.*)>/.exec(line)![1]!);
        say('250 ok');
      } else if (/^DATA/i.test(line)) {
        if (this.refusing) this.refused += 1;
        else data = [];
        say(this.refusing ? '451 not now' : '354 go on');
      } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
      else say('250 ok');
    }
  }
}
