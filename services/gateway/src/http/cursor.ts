// Cursors of lists: where the next page begins, signed and bound to the list, its filters and the workspace, so that a
// cursor is good for nothing but going on with the list it came from.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a cursor is bound to: anything that JSON writes the same way each time. */
export type CursorScope = readonly unknown[];

const macBytes = 16;

export class Cursors {
  constructor(private readonly key: Uint8Array) {}

  seal(after: string, scope: CursorScope): string {
    const place = Buffer.from(JSON.stringify({ after }));
    return Buffer.concat([this.mac(place, scope), place]).toString('base64url');
  }

  /** @returns the place the cursor stands for, or null if it was not made for this list */
  open(cursor: string, scope: CursorScope): string | null {
    const bytes = Buffer.from(cursor, 'base64url');
    const place = bytes.subarray(macBytes);
    if (bytes.length <= macBytes || !timingSafeEqual(bytes.subarray(0, macBytes), this.mac(place, scope))) return null;
    return (JSON.parse(place.toString()) as { after: string }).after;
  }

  private mac(place: Buffer, scope: CursorScope): Buffer {
    const hmac = createHmac('sha256', this.key).update(JSON.stringify(scope)).update('\0').update(place);
    return hmac.digest().subarray(0, macBytes);
  }
}
