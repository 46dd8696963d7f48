/** The launcher's last words: where things are, and three commands that work when pasted. */
import { relative } from 'node:path';
import { logFolder } from './data-folder.ts';
import { elapsed } from './progress.ts';
import type { Sample } from './sample.ts';
import { operatorTokenFile } from './secrets.ts';
import type { Settings } from './settings.ts';

/** @param metrics where those of each service are collected, if they are */
export function announce(settings: Settings, gatewayUrl: string, sample: Sample | undefined, metrics: string[]): void {
  const { dataDir, operatorToken } = settings;
  const tokenFile = shown(operatorTokenFile(dataDir));
  const token = operatorToken === undefined ? `$(cat ${tokenFile})` : '$OPERATOR_TOKEN';
  const places = [
    ['API', `${gatewayUrl}/api/v1`],
    ['its reference', `${gatewayUrl}/docs/api`],
    ['operator token', operatorToken === undefined ? tokenFile : 'as set by OPERATOR_TOKEN'],
    ...(sample ? [['sample key', `${shown(dataDir)}/sample-key (workspace ${sample.workspaceId})`]] : []),
    ['logs', `${shown(logFolder(dataDir))}/`],
    ...(metrics.length > 0 ? [['metrics', metrics.join(', ')]] : []),
  ];
  const commands = sample ? sampleCommands(gatewayUrl, shown(dataDir), sample) : firstCommands(gatewayUrl, token);
  console.log(`
Ready after ${elapsed()} s. Ctrl-C stops everything; what was stored stays.

${places.map(([name, place]) => `  ${name!.padEnd(16)}${place}`).join('\n')}

Try it, from this folder:

${commands.join('\n\n')}
`);
}

function sampleCommands(gatewayUrl: string, dataDir: string, { workspaceId, pageId }: Sample): string[] {
  const as = `-H "Authorization: Bearer $(cat ${dataDir}/sample-key)" -H "X-Workspace-Id: ${workspaceId}"`;
  const hit = JSON.stringify({ page_id: pageId, type: 'event', name: 'signup', visitor: { id: 'you' } });
  return [
    `curl -s ${as} ${gatewayUrl}/api/v1/pages`,
    `curl -s ${as} -H 'Content-Type: application/json' -d '${hit}' ${gatewayUrl}/api/v1/track`,
    `curl -s ${as} "${gatewayUrl}/api/v1/deliveries?limit=5"`,
  ];
}

/** Without the sample: a workspace, a key in it, and what the key may do. Each uses what the one before answered. */
function firstCommands(gatewayUrl: string, token: string): string[] {
  const as = `-H "Authorization: Bearer ${token}" -H 'Content-Type: application/json'`;
  const field = (name: string) => `sed -E 's/.*"${name}":"([^"]+)".*/\\1/'`;
  return [
    `WS=$(curl -s ${as} -d '{"name":"Mine","time_zone":"UTC","owner_emails":["me@example.com"]}' ${gatewayUrl}/api/v1/workspaces | ${field('id')}); echo $WS`,
    `KEY=$(curl -s ${as} -H "X-Workspace-Id: $WS" -d '{"name":"First key","access":"read_write"}' ${gatewayUrl}/api/v1/keys | ${field('secret')}); echo $KEY`,
    `curl -s -H "Authorization: Bearer $KEY" -H "X-Workspace-Id: $WS" ${gatewayUrl}/api/v1/keys/current`,
  ];
}

function shown(path: string): string {
  return relative(process.cwd(), path) || '.';
}
