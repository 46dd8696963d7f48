// What a rule of the public API finds wrong. The gateway and the service that owns the rule both ask it: the one, so that it is told
// beside all that its schema finds, the other, because it trusts nobody on the bus.

export interface Fault {
  /** Inside of what the rule was given; empty for the whole of it. */
  path: readonly (string | number)[];
  code: string;
  /** Says how to mend it, as a sentence. */
  detail: string;
}

export function fault(code: string, detail: string, ...path: (string | number)[]): Fault {
  return { path, code, detail };
}

/** Faults of a part, as those of the whole that it is in. */
export function faultsIn(part: string | number, faults: Fault[]): Fault[] {
  return faults.map((found) => ({ ...found, path: [part, ...found.path] }));
}

/** As problems are answered and as the bus carries them. */
export function fieldFault({ path, code, detail }: Fault): { pointer: string; code: string; detail: string } {
  return { pointer: pointerTo(path), code, detail };
}

/** RFC 6901: `~` and `/` inside a name are escaped. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
