// What all examples of the reference are made of. The ids are of no real thing.
import { timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';

export function exampleId(prefix: string): string {
  return `${prefix}_01jq8x3v6kf5hs2m9rb4cn7dtg`;
}

/** @param time in RFC 3339 */
export function at(time: string): Timestamp {
  return timestampFromDate(new Date(time));
}
