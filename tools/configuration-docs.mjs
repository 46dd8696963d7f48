// Writes docs/configuration.md from the services' own tables of settings; with --check it only says whether it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import { databaseSettings, environmentName, serviceSettings } from '@na/service-host';

const file = new URL('../docs/configuration.md', import.meta.url);
const services = ['gateway', 'key-management', 'reporting', 'webhook-dispatcher'];

function table(settings) {
  const rows = Object.entries(settings).map(([key, { description, default: value, secret }]) => {
    const shown = value === undefined ? 'required' : value === '' ? 'empty' : `\`${value}\``;
    return `| \`${environmentName(key)}\` | ${shown} | ${description.replaceAll('|', '\\|')}${secret ? ' Secret.' : ''} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

const parts = [
  '# Configuration',
  'Generated from the services\' tables of settings by `npm run docs:configuration`; do not edit.',
  'Every setting is an environment variable, read once at start. A service that finds a fault names all of them and ends.',
  'Telemetry is set by the standard variables of OpenTelemetry (`OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_ENDPOINT`, …); without them nothing is exported.',
  'The launcher behind `npm start` has settings of its own: see [deploy/local/README.md](../deploy/local/README.md).',
  `## Every service\n\n${table(serviceSettings)}`,
  `## The database of each service\n\n${table(databaseSettings)}`,
];
for (const service of services) {
  const { settings } = await import(`../services/${service}/dist/settings.js`);
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => !(key in databaseSettings)));
  parts.push(Object.keys(own).length > 0 ? `## ${service}\n\n${table(own)}` : `## ${service}\n\nNone of its own.`);
}
const text = `${parts.join('\n\n')}\n`;

if (process.argv.includes('--check')) {
  const current = readFileSync(file, 'utf8') === text;
  if (!current) console.error('docs/configuration.md is out of date: run npm run docs:configuration.');
  process.exitCode = current ? 0 : 1;
} else {
  writeFileSync(file, text);
}
