// What an operator can set of the dispatcher, beside the settings every service has.
import { databaseSettings, listOf, wholeNumber, type Setting } from '@na/service-host';
import { alertSettings } from './alerts/settings.js';
import { proxyUrl } from './deliveries/proxy-url.js';
import { parseSealingKeys } from './endpoints/secret-box.js';
import { parseCidrs } from './endpoints/target-address.js';

export const settings = {
  ...databaseSettings,
  webhookSealingKeys: {
    description: 'Keys that seal endpoint secrets at rest: `<version>:<base64 of 32 bytes>`, several separated by commas; the highest version seals.',
    schema: listOf(parseSealingKeys),
    secret: true,
  },
  webhookAllowedCidrs: {
    description: 'Networks that webhooks may reach although they are private, loopback or link-local, such as 10.1.0.0/16. Empty: none.',
    schema: listOf(parseCidrs),
    default: '',
  },
  webhookEgressProxyUrl: {
    description: 'Forward proxy that every attempt goes through: http://[user:password@]host:port, or https:// for TLS to the proxy. It is asked to CONNECT to addresses, never to names. Empty: none.',
    schema: proxyUrl,
    default: '',
    secret: true,
  },
  webhookMaxInFlightPerEndpoint: {
    description: 'Most attempts at the same time, per replica, to an endpoint that does not say otherwise itself (max_in_flight, up to 100).',
    schema: wholeNumber(1, 1_000),
    default: '10',
  },
  webhookRetentionDays: {
    description: 'Days that events, deliveries and attempts are kept; whole days are dropped once nothing of them is still to be attempted at an enabled endpoint.',
    schema: wholeNumber(1, 3_650),
    default: '30',
  },
  webhookMaxInFlight: {
    description: 'Most attempts to all endpoints at the same time, per replica. A workspace gets half of them at most, an endpoint a third.',
    schema: wholeNumber(1, 100_000),
    default: '1000',
  },
  ...alertSettings,
  webhookMaxWaitingPerEndpoint: {
    description: 'Most deliveries to one endpoint that a replica holds in memory; the others wait in the database.',
    schema: wholeNumber(1, 100_000),
    default: '500',
  },
} satisfies Record<string, Setting>;
