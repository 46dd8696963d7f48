// Reads what a process shows on its Prometheus port.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What loads telemetry before the program, as in a deployment. */
export const telemetryOptions = ['--import', pathToFileURL(join(import.meta.dirname, '../../../libs/service-host/dist/telemetry/register.js')).href];

export class ExportedMetrics {
  private constructor(private readonly port: number) {}

  /** For a process that is still to be started with `environment`. */
  static async onFreePort(): Promise<ExportedMetrics> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return new ExportedMetrics(port);
  }

  get environment(): NodeJS.ProcessEnv {
    return { OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1', OTEL_EXPORTER_PROMETHEUS_PORT: String(this.port) };
  }

  async collect(): Promise<Sample[]> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map(parse);
  }

}

/** The sum of the samples that have these labels; undefined when there are none. */
export function valueOf(samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  const found = samples.filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

function parse(line: string): Sample {
  const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line)!;
  return { name: name!, labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text])), value: Number(value) };
}
