// The functions and the example that docs/webhooks.md gives to integrators, taken from its text and held against what the
// dispatcher really signs. A language whose runtime is not on the machine is skipped by name.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { sign, signedHeaders } from '../src/deliveries/sign.js';

const docs = readFileSync(join(import.meta.dirname, '../../../docs/webhooks.md'), 'utf8');

interface Language {
  name: string;
  /** A command that succeeds where the runtime is there. */
  probe: [string, ...string[]];
  run: [string, ...string[]];
  /**
   * What runs the snippet. It reads one request a line: secret, id, timestamp, signature and body, each in base64,
   * separated by commas; and answers each with a line that is "true" when the snippet takes it.
   */
  files: (snippet: string) => Record<string, string>;
}

const languages: Language[] = [
  {
    name: 'Node',
    probe: [process.execPath, '--version'],
    run: [process.execPath, 'main.mjs'],
    files: (snippet) => ({
      'snippet.mjs': snippet,
      'main.mjs': `
import { readFileSync } from 'node:fs';
import { isGenuine } from './snippet.mjs';
for (const line of readFileSync(0, 'utf8').trim().split('\\n')) {
  const [secret, id, timestamp, signature, body] = line.split(',').map((field) => Buffer.from(field, 'base64'));
  const headers = { 'webhook-id': String(id), 'webhook-timestamp': String(timestamp), 'webhook-signature': String(signature) };
  console.log(isGenuine(String(secret), headers, body));
}`,
    }),
  },
  {
    name: 'Python',
    probe: ['python3', '--version'],
    run: ['python3', 'main.py'],
    files: (snippet) => ({
      'snippet.py': snippet,
      'main.py': `
import base64, sys
from snippet import is_genuine
for line in sys.stdin:
    secret, event_id, timestamp, signature, body = map(base64.b64decode, line.strip().split(","))
    headers = {"webhook-id": event_id.decode(), "webhook-timestamp": timestamp.decode(), "webhook-signature": signature.decode()}
    print(str(is_genuine(secret.decode(), headers, body)).lower())`,
    }),
  },
  {
    name: 'Go',
    probe: ['go', 'version'],
    run: ['go', 'run', '.'],
    files: (snippet) => ({
      'go.mod': 'module snippet\n\ngo 1.19\n',
      'webhook/webhook.go': snippet,
      'main.go': `
package main

import ("bufio"; "encoding/base64"; "fmt"; "os"; "strings"; "snippet/webhook")

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var fields [5]string
		for i, field := range strings.Split(lines.Text(), ",") {
			text, _ := base64.StdEncoding.DecodeString(field)
			fields[i] = string(text)
		}
		headers := map[string]string{"webhook-id": fields[1], "webhook-timestamp": fields[2], "webhook-signature": fields[3]}
		header := func(name string) string { return headers[name] }
		fmt.Println(webhook.IsGenuine(fields[0], header, []byte(fields[4])))
	}
}`,
    }),
  },
  {
    name: 'PHP',
    probe: ['php', '--version'],
    run: ['php', 'main.php'],
    files: (snippet) => ({
      'snippet.php': snippet,
      'main.php': `<?php
require __DIR__ . '/snippet.php';
while ($line = fgets(STDIN)) {
    [$secret, $id, $timestamp, $signature, $body] = array_map('base64_decode', explode(',', trim($line)));
    $headers = ['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signature];
    echo json_encode(is_genuine($secret, $headers, $body)), "\\n";
}`,
    }),
  },
  {
    name: 'Ruby',
    probe: ['ruby', '--version'],
    run: ['ruby', 'main.rb'],
    files: (snippet) => ({
      'snippet.rb': snippet,
      'main.rb': `
require_relative 'snippet'
STDIN.each_line do |line|
  secret, id, timestamp, signature, body = line.strip.split(',').map { |field| field.unpack1('m') }
  puts genuine?(secret, { 'webhook-id' => id, 'webhook-timestamp' => timestamp, 'webhook-signature' => signature }, body)
end`,
    }),
  },
  {
    name: 'Java',
    probe: ['java', '-version'],
    run: ['java', 'Main.java'],
    // A single file is run by its first class.
    files: (snippet) => ({
      'Main.java': snippet.replace(
        /^final class/m,
        `final class Main {
    public static void main(String[] arguments) throws Exception {
        java.io.BufferedReader lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            byte[][] fields = java.util.Arrays.stream(line.split(",")).map(Base64.getDecoder()::decode).toArray(byte[][]::new);
            String[] text = java.util.Arrays.stream(fields).map(field -> new String(field, UTF_8)).toArray(String[]::new);
            Map<String, String> headers = Map.of("webhook-id", text[1], "webhook-timestamp", text[2], "webhook-signature", text[3]);
            System.out.println(WebhookSignature.isGenuine(text[0], headers, fields[4]));
        }
    }
}

final class`,
      ),
    }),
  },
];

interface Received {
  secret: string;
  id: string;
  timestamp: string;
  signature: string;
  body: string;
}

const [secret, otherSecret] = [7, 8].map((fill) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`) as [string, string];

/** A request as the dispatcher makes it. The snippets read the real clock, so it is signed by the real clock. */
function received({ ageSeconds = 0, current = secret, previous = [] as string[] } = {}): Received {
  const [id, body] = ['evt_01kd4gq3zjf5y9a8w2m6r7t0bc', '{"id":"evt_01kd4gq3zjf5y9a8w2m6r7t0bc","data":{"name":"Größe ✓"}}'];
  const signedAt = new Date(Date.now() - ageSeconds * 1_000);
  const signature = sign(id, Buffer.from(body), { current, previous }, signedAt)['webhook-signature'];
  return { secret: current, id, timestamp: signedHeaders(id, signedAt)['webhook-timestamp'], signature, body };
}

/** Each with whether it must be taken. */
function requests(): Record<string, [Received, boolean]> {
  const genuine = received();
  return {
    'a genuine one': [genuine, true],
    'one signed four minutes ago': [received({ ageSeconds: 240 }), true],
    'one signed with a new secret and, during the rotation, with the one held': [{ ...received({ current: otherSecret, previous: [secret] }), secret }, true],
    'one with a signature of an unknown version beside the right one': [{ ...genuine, signature: `v1a,c2lnbmF0dXJl ${genuine.signature}` }, true],
    'another body': [{ ...genuine, body: genuine.body.replace('Größe', 'Grösse') }, false],
    'another timestamp': [{ ...genuine, timestamp: String(Number(genuine.timestamp) - 1) }, false],
    'another id': [{ ...genuine, id: 'evt_2' }, false],
    'another secret': [{ ...genuine, secret: otherSecret }, false],
    'another signature': [{ ...genuine, signature: `v1,${'A'.repeat(43)}=` }, false],
    'a signature of another length': [{ ...genuine, signature: 'v1,AAAA' }, false],
    'one that was signed six minutes ago': [received({ ageSeconds: 360 }), false],
    'one that was signed in six minutes': [received({ ageSeconds: -360 }), false],
    'a timestamp that is no number': [{ ...genuine, timestamp: 'now' }, false],
    'an empty secret, guessed by the sender': [received({ current: 'whsec_' }), false],
  };
}

/** Compiling takes a while where nothing is cached. */
const timeoutMs = 120_000;

for (const language of languages) {
  const isThere = spawnSync(language.probe[0], language.probe.slice(1)).status === 0;
  const title = `the function for ${language.name} takes what the dispatcher signed, and nothing else`;
  if (isThere) test(title, () => expectRightVerdicts(language), timeoutMs);
  else test.skip(`${title} (${language.probe[0]} is not on this machine)`, () => undefined);
}

test('the example request carries what the dispatcher signs with the secret beside it', () => {
  const [, head, body] = /```http\n(.*?)\n\n(.*?)\n```/s.exec(docs)!;
  const headers = Object.fromEntries(head!.split('\n').slice(1).map((line) => [line.split(': ')[0]!.toLowerCase(), line.split(': ')[1]]));
  const current = /made with the secret `(whsec_.*?)`/.exec(docs)![1]!;
  const { id, created_at } = JSON.parse(body!) as { id: string; created_at: string };
  const signedAt = new Date(created_at);
  expect(headers).toMatchObject({ ...signedHeaders(id, signedAt), ...sign(id, Buffer.from(body!), { current, previous: [] }, signedAt) });
});

function expectRightVerdicts(language: Language): void {
  const cases = requests();
  const verdicts = run(language, Object.values(cases).map(([request]) => request));
  const taken = Object.fromEntries(Object.keys(cases).map((name, index) => [name, verdicts[index]]));
  expect(taken).toEqual(Object.fromEntries(Object.entries(cases).map(([name, [, expected]]) => [name, String(expected)])));
}

/** All requests in one process: a runtime takes longer to start than to verify. */
function run(language: Language, all: Received[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'snippet-'));
  try {
    for (const [path, text] of Object.entries(language.files(snippetFor(language.name)))) write(join(folder, path), text);
    const input = all.map(({ secret: key, id, timestamp, signature, body }) => [key, id, timestamp, signature, body].map(base64).join(',')).join('\n');
    const { status, stdout, stderr } = spawnSync(language.run[0], language.run.slice(1), { cwd: folder, input, encoding: 'utf8', env: environment });
    if (status !== 0) throw new Error(`${language.run.join(' ')} ended with ${status}: ${stdout}${stderr}`);
    return stdout.trim().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Go would otherwise look for a go.work above, or fetch the toolchain that go.mod names. */
const environment = { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off', GOTOOLCHAIN: 'local', GOPROXY: 'off' };

function snippetFor(name: string): string {
  const snippet = docs.split(`\n### ${name}\n`)[1]?.match(/```\w+\n(.*?)```/s)?.[1];
  if (!snippet) throw new Error(`docs/webhooks.md has no snippet under "${name}"`);
  return snippet;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
