// The functions and the example that docs/webhooks.md gives to integrators, and the lines of the front page, taken from the
// text and held against what the dispatcher really signs and what anybody may send instead. A language whose runtime is not on the machine is skipped by name.
import { spawnSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { sign, signedHeaders } from '../src/deliveries/sign.js';

const docs = readFileSync(join(import.meta.dirname, '../../../docs/webhooks.md'), 'utf8');
const frontPage = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');

interface Language {
  name: string;
  /** A command that succeeds where the runtime is there. */
  probe: [string, ...string[]];
  run: [string, ...string[]];
  /**
   * What runs the snippet. It reads one request a line: secret, id, timestamp, signature and body, each in base64,
   * separated by commas, and "-" for one that is missing; and answers each with a line that is "true" when the snippet takes it.
   * Headers are read as one byte a character, as servers hand them over.
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
  const fields = line.split(',').map((field) => (field === '-' ? undefined : Buffer.from(field, 'base64')));
  const [secret, id, timestamp, signature] = fields.map((field) => field?.toString('latin1'));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  console.log(isGenuine(secret, headers, fields[4]));
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
    fields = [None if field == "-" else base64.b64decode(field) for field in line.strip().split(",")]
    # WSGI and ASGI decode headers as Latin-1, aiohttp as UTF-8 with what is none of it as half surrogates.
    verdicts = set()
    for decoded in (lambda text: text.decode("latin-1"), lambda text: text.decode("utf-8", "surrogateescape")):
        secret, *texts = [None if field is None else decoded(field) for field in fields[:4]]
        names = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        headers = {name: text for name, text in zip(names, texts) if text is not None}
        verdicts.add(str(is_genuine(secret, headers, fields[4])).lower())
    print(*verdicts)`,
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
    [$secret, $id, $timestamp, $signature, $body] = array_map(fn ($field) => $field === '-' ? null : base64_decode($field), explode(',', trim($line)));
    $headers = array_filter(['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signature], fn ($text) => $text !== null);
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
  secret, id, timestamp, signature, body = line.strip.split(',').map { |field| field == '-' ? nil : field.unpack1('m') }
  puts genuine?(secret, { 'webhook-id' => id, 'webhook-timestamp' => timestamp, 'webhook-signature' => signature }.compact, body)
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
            String[] names = {"secret", "webhook-id", "webhook-timestamp", "webhook-signature"};
            String[] fields = line.split(",");
            Map<String, String> given = new java.util.HashMap<>();
            for (int i = 0; i < names.length; i++) {
                if (!fields[i].equals("-")) given.put(names[i], new String(Base64.getDecoder().decode(fields[i]), java.nio.charset.StandardCharsets.ISO_8859_1));
            }
            System.out.println(WebhookSignature.isGenuine(given.remove("secret"), given, Base64.getDecoder().decode(fields[4])));
        }
    }
}

final class`,
      ),
    }),
  },
];

/** Undefined is what is missing. */
interface Received {
  secret: string | undefined;
  id: string | undefined;
  timestamp: string | undefined;
  signature: string | undefined;
  body: string;
}

const [secret, otherSecret] = [7, 8].map((fill) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`) as [string, string];

/** A request as the dispatcher makes it. The snippets read the real clock, so it is signed by the real clock. */
function received({ ageSeconds = 0, current = secret, previous = [] as string[] } = {}) {
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
    ...named('id', (id) => [{ ...genuine, id }, false]),
    ...named('timestamp', (timestamp) => [{ ...genuine, timestamp }, false]),
    ...named('signature', (signature) => [{ ...genuine, signature }, false]),
    'a timestamp with more digits than a number may have': [{ ...genuine, timestamp: '9'.repeat(5_000) }, false],
    'no secret': [{ ...genuine, secret: undefined }, false],
    'an empty text for a secret': [{ ...genuine, secret: '' }, false],
    'a secret that is no base64': [{ ...genuine, secret: 'whsec_?' }, false],
    'a secret that is cut off': [{ ...genuine, secret: secret.slice(0, 11) }, false],
    'a secret beside the alphabet': [{ ...genuine, secret: 'whsec_é~é~' }, false],
  };

  /** What anybody may send as a header, without knowing any secret. */
  function named(field: 'id' | 'timestamp' | 'signature', request: (value: string | undefined) => [Received, boolean]): Record<string, [Received, boolean]> {
    const accents = 'é'.repeat(genuine[field].length);
    const values = { 'no': undefined, 'an empty': '', 'a blank': ' ', 'a non-ASCII, as long as the right,': accents, 'a longer': `${genuine[field]}${genuine[field]}` };
    return Object.fromEntries(Object.entries(values).map(([which, value]) => [`${which} ${field}`, request(value)]));
  }
}

/** Compiling takes a while where nothing is cached. */
const timeoutMs = 120_000;

for (const language of languages) {
  const isThere = spawnSync(language.probe[0], language.probe.slice(1)).status === 0;
  const title = `the function for ${language.name} takes what the dispatcher signed, and nothing else`;
  if (isThere) test(title, () => expectRightVerdicts(language), timeoutMs);
  else test.skip(`${title} (${language.probe[0]} is not on this machine)`, () => undefined);
}

test('the lines on the front page take what the dispatcher signed, and nothing else, whatever the header holds', () => {
  const body = '{"data":{"name":"Größe ✓"}}';
  const right = sign('evt_1', Buffer.from(body), { current: secret, previous: [] }, new Date())['x-webhook-signature'];
  const guessed = `sha256=${crypto.createHmac('sha256', '').update(body).digest('hex')}`;
  const taken = (given: string | undefined, key = secret) => frontPageVerdict({ secret: key, rawBody: Buffer.from(body), given });
  expect(taken(right)).toBe(true);
  const hostile = [undefined, '', ' ', 'é'.repeat(right.length), `sha256=${'é'.repeat(64)}`, `sha256=${'0'.repeat(64)}`, right.slice(0, -1), `${right}0`, right.toUpperCase()];
  expect(hostile.map((given) => taken(given))).toEqual(hostile.map(() => false));
  expect(taken(guessed, '')).toBe(false);
});

test('the example request carries what the dispatcher signs with the secret beside it', () => {
  const [, head, body] = /```http\n(.*?)\n\n(.*?)\n```/s.exec(docs)!;
  const headers = Object.fromEntries(head!.split('\n').slice(1).map((line) => [line.split(': ')[0]!.toLowerCase(), line.split(': ')[1]]));
  const current = /made with the secret `(whsec_.*?)`/.exec(docs)![1]!;
  const { id, created_at } = JSON.parse(body!) as { id: string; created_at: string };
  const signedAt = new Date(created_at);
  expect(headers).toMatchObject({ ...signedHeaders(id, signedAt), ...sign(id, Buffer.from(body!), { current, previous: [] }, signedAt) });
});

function frontPageVerdict({ secret: key, rawBody, given }: { secret: string; rawBody: Buffer; given: string | undefined }): unknown {
  const lines = /in three lines of Node:\n\n```js\n(.*?)```/s.exec(frontPage)![1]!;
  const surroundings = { crypto, Buffer, secret: key, rawBody, req: { headers: { 'x-webhook-signature': given } } };
  return runInNewContext(`${lines}; genuine`, surroundings);
}

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
    const input = all.map(({ secret: key, id, timestamp, signature, body }) => [...[key, id, timestamp, signature].map(asHeader), base64(body)].join(',')).join('\n');
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

function asHeader(text: string | undefined): string {
  return text === undefined ? '-' : Buffer.from(text, 'latin1').toString('base64');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
