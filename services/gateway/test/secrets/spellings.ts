// Finds a secret in whatever text, in whatever spelling it may have got there. Pure.

/** In any case: the names of headers come out in small letters. Chance does not find 20 characters of a secret. */
export function spellingsOf(text: string): Map<string, string> {
  const bytes = Buffer.from(text);
  const percent = bytes.toString('hex').replace(/../g, '%$&');
  const spellings = [
    ['as it is', text],
    ['percent-encoded', encodeURIComponent(text)],
    ['percent-encoded throughout', percent],
    ['in hex', bytes.toString('hex')],
    ['in JSON', JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/')],
    ...[0, 1, 2].flatMap((offset) => (['base64', 'base64url'] as const).map((alphabet) => [`in ${alphabet}`, withinBase64(bytes, offset, alphabet)] as const)),
  ] as const;
  return new Map(spellings.map(([how, spelling]) => [spelling.toLowerCase(), how]));
}

/** The characters that are the same whatever stands around the bytes, when so many bytes of a group of three come before. */
function withinBase64(bytes: Buffer, offset: number, alphabet: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(alphabet);
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/** Where something was written that must not hold a secret. */
export interface Place {
  name: string;
  text: string;
}

export class Secrets {
  private readonly spellings = new Map<string, string>();

  /** @param parts each of which would be a leak by itself */
  add(name: string, ...parts: string[]): void {
    for (const part of parts) {
      for (const [spelling, how] of spellingsOf(part)) this.spellings.set(spelling, `${name} ${how}`);
    }
  }

  /** One line for each find, with what stands around it. */
  foundIn({ name, text }: Place): string[] {
    const searched = text.toLowerCase();
    return [...this.spellings].flatMap(([spelling, what]) => {
      const at = searched.indexOf(spelling);
      return at < 0 ? [] : [`${name}: ${what}: …${text.slice(Math.max(0, at - 200), at + spelling.length + 60)}…`];
    });
  }
}
