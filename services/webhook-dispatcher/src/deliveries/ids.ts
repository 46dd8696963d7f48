// TypeIDs of deliveries and attempts. They follow from what they name: made again, they are the same. Like any UUIDv7 they carry a
// time, and sort by it. One is made for each delivery and one for each attempt, where typeid-js, which checks what it is given
// and what it makes, took a twentieth of the dispatcher's time.
import { hash } from 'node:crypto';
import { TypeID } from 'typeid-js';

/** Crockford's, in lower case. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** Of each number of ten bits, its two characters. */
const pairs = Array.from({ length: 1_024 }, (_, bits) => alphabet[bits >> 5]! + alphabet[bits & 31]!);

/** Characters of a TypeID after those of its time: 80 bits. */
const tailLength = 16;

/**
 * The id of the one delivery of an event to an endpoint, so that an event that arrives again meets the row it made before. Its
 * time is the event's, which tells its partition. 74 bits of SHA-256 keep two from meeting.
 */
export function deliveryId(eventId: string, endpointId: string, eventAt: Date): string {
  const tail = hash('sha256', `${eventId} ${endpointId}`, 'buffer').subarray(6, 16);
  // Version and variant of a UUIDv7.
  tail[0] = (tail[0]! & 0x0f) | 0x70;
  tail[2] = (tail[2]! & 0x3f) | 0x80;
  return `dlv_${charactersOfTime(eventAt)}${charactersOf(tail, 0)}${charactersOf(tail, 5)}`;
}

/** The id of an attempt ends like that of its delivery, of which two attempts hardly ever start at the same moment. It is no key. */
export function attemptId(deliveryId: string, startedAt: Date): string {
  return `att_${charactersOfTime(startedAt)}${deliveryId.slice(-tailLength)}`;
}

/** The event's time out of a delivery's id, or undefined for what is not such an id. */
export function eventTimeOf(id: string): Date | undefined {
  try {
    const bytes = TypeID.fromString(id, 'dlv').toUUIDBytes();
    return new Date(Buffer.from(bytes).readUIntBE(0, 6));
  } catch {
    return undefined;
  }
}

/** Its 48 bits, as milliseconds, in ten characters. */
function charactersOfTime(at: Date): string {
  const ms = at.getTime();
  const high = Math.floor(ms / 2 ** 30);
  const low = ms % 2 ** 30;
  return pairs[high >> 10]! + pairs[high & 1_023]! + pairs[low >> 20]! + pairs[(low >> 10) & 1_023]! + pairs[low & 1_023]!;
}

/** Five bytes in eight characters. */
function charactersOf(bytes: Buffer, at: number): string {
  const high = (bytes[at]! << 12) | (bytes[at + 1]! << 4) | (bytes[at + 2]! >> 4);
  const low = ((bytes[at + 2]! & 0x0f) << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
  return pairs[high >> 10]! + pairs[high & 1_023]! + pairs[low >> 10]! + pairs[low & 1_023]!;
}
