// What an operator can set of endpoint health and of the mails about it.
import { publicUrl, wholeNumber, type Setting } from '@na/service-host';
import { z } from 'zod';

export const alertSettings = {
  webhookDisableAfterHours: {
    description: 'An endpoint without a single success for this many hours (whole ones, 1 at least) is disabled; its owners are warned at a third and at two thirds.',
    schema: wholeNumber(1, 24 * 365),
    default: '72',
  },
  webhookDisableMinFailures: {
    description: 'An endpoint is only disabled for having no success once at least this many attempts have failed.',
    schema: wholeNumber(1, 1_000_000),
    default: '20',
  },
  smtpUrl: {
    description: 'Mail server for alerts: smtp://user:password@host:port, or smtps:// for TLS from the start. Empty: mails become files in MAIL_DIR.',
    schema: z.string().regex(/^(smtps?:\/\/.+)?$/, 'must start with smtp:// or smtps://'),
    default: '',
    secret: true,
  },
  mailFrom: {
    description: 'Sender of alert mails: an address, or a name with the address in angle brackets.',
    schema: z.string().regex(/^([^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/, 'must be an address such as Alerts <alerts@example.com>'),
    default: 'Webhook alerts <webhooks@localhost>',
  },
  publicUrl: {
    description: "As the gateway's: where clients reach the API, such as https://api.example.com; stands before the addresses in mails. Empty: they begin with /api/v1.",
    schema: publicUrl,
    default: '',
  },
  mailDir: {
    description: 'Folder for mails while SMTP_URL is empty, one .eml file each; relative to the working directory.',
    schema: z.string().min(1, 'must not be empty'),
    default: '.data/mail',
  },
} satisfies Record<string, Setting>;
