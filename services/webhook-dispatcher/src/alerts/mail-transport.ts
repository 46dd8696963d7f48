// The only place that sends mail: over SMTP, or, where no server is configured, as .eml files that every mail program opens.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Host } from '@na/service-host';

export interface Mail {
  /** The same for every try, so that a mail server can tell a mail that a crash made us repeat. */
  id: string;
  to: string[];
  subject: string;
  text: string;
  date: Date;
}

export type SendMail = (mail: Mail) => Promise<void>;

interface MailConfig {
  smtpUrl: string;
  mailFrom: string;
  mailDir: string;
}

/** Together below the lease on a workspace's alerts, in which a mail must have been sent. */
const timeouts = { dnsTimeout: 10_000, connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 30_000 };

/** Mails are plain text and bring everything along: there is nothing to fetch from disk or net. */
const closed = { disableFileAccess: true, disableUrlAccess: true };

export function openMailTransport(config: MailConfig, { logger }: Host): SendMail {
  if (config.smtpUrl) return smtpTransport(config);
  const folder = resolve(config.mailDir);
  logger.info({ folder }, 'SMTP_URL is empty: mails are written to a folder instead of being sent');
  return folderTransport(config, folder);
}

/** Rejects when no recipient at all was accepted. */
function smtpTransport({ smtpUrl, mailFrom }: MailConfig): SendMail {
  const transport = createTransport({ url: smtpUrl, ...timeouts, ...closed });
  return async (mail) => void (await transport.sendMail(envelopeOf(mail, mailFrom)));
}

function folderTransport({ mailFrom }: MailConfig, folder: string): SendMail {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows', ...closed });
  return async (mail) => {
    const { message } = await transport.sendMail(envelopeOf(mail, mailFrom));
    // They hold addresses of people, and of webhooks with all that may be secret in them.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Whoever watches the folder sees whole mails only.
    const file = join(folder, `${mail.id}.eml`);
    await writeFile(`${file}.part`, message, { mode: 0o600 });
    await rename(`${file}.part`, file);
  };
}

function envelopeOf({ id, to, subject, text, date }: Mail, from: string): SendMailOptions {
  const domain = from.replace(/^.*@|>$/g, '');
  return {
    from,
    // As objects: a text would be parsed, and might turn out to be several addresses.
    to: to.map((address) => ({ name: '', address })),
    subject,
    text,
    date,
    messageId: `<${id}@${domain}>`,
    // RFC 3834: keeps out-of-office replies away.
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}
