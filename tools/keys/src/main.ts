// `npm run keys -- …`: workspaces and API keys from a terminal. Ends with 0, with 1 when the API refuses, with 2 when the
// command line is wrong.
import { accessFrom } from './access.ts';
import { Refusal, send } from './api.ts';
import { readCommand, usage, UsageError, type Command } from './commands.ts';
import { table, type Row } from './table.ts';

try {
  const argv = process.argv.slice(2);
  if (argv.length === 0 || argv.includes('--help')) write(usage);
  else await run(readCommand(argv, new Date()));
} catch (error) {
  if (!(error instanceof Refusal) && !(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${error instanceof UsageError ? `\n${usage}\n` : ''}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function run({ request, columns, asJson }: Command): Promise<void> {
  const answer = await send(accessFrom(process.env), request);
  if (asJson) return write(JSON.stringify(answer, undefined, 2));
  write(table(rowsOf(answer), columns));
  if (answer.has_more) process.stderr.write('\nThere are more than these.\n');
  // Alone on the standard output's last line, so that a script can take it from there.
  if (typeof answer.secret === 'string') {
    process.stderr.write('\nThe key itself. It is shown now and never again:\n');
    write(answer.secret);
  }
}

function rowsOf(answer: Row): Row[] {
  return Array.isArray(answer.data) ? (answer.data as Row[]) : [answer];
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
