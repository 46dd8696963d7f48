// Many rows as parameters of one statement: an array for each column, in PostgreSQL's binary form (array_recv of its source). As
// text each value would be escaped here and read there: over hundreds of rows of two dozen columns a tenth of the dispatcher's time.

/** What is put into a column of each type. */
interface Values {
  text: string;
  /** As JSON text. */
  jsonb: string;
  bytea: Buffer;
  integer: number;
  'double precision': number;
  timestamptz: Date;
}

export type Column<Row> = { [Type in keyof Values]: { name: string; type: Type; of: (row: Row) => Values[Type] | null } }[keyof Values];

/** How the values of a type are written. */
interface Format<Value> {
  /** Of the type in pg_type, where it is the same in every database. */
  oid: number;
  /** Most bytes that it may take. */
  most: (value: Value) => number;
  /** @returns how many bytes it took */
  write: (to: Buffer, value: Value, at: number) => number;
}

/** Of one UTF-16 code unit in UTF-8. */
const maxUnitBytes = 3;
const jsonbVersion = 1;
const postgresEpochMs = Date.UTC(2000, 0, 1);

const formats: { [Type in keyof Values]: Format<Values[Type]> } = {
  text: { oid: 25, most: (value) => maxUnitBytes * value.length, write: (to, value, at) => to.write(value, at) },
  jsonb: { oid: 3802, most: (value) => 1 + maxUnitBytes * value.length, write: (to, value, at) => to.write(value, to.writeUInt8(jsonbVersion, at)) + 1 },
  bytea: { oid: 17, most: ({ length }) => length, write: (to, value, at) => value.copy(to, at) },
  integer: { oid: 23, most: () => 4, write: (to, value, at) => to.writeInt32BE(value, at) - at },
  'double precision': { oid: 701, most: () => 8, write: (to, value, at) => to.writeDoubleBE(value, at) - at },
  timestamptz: { oid: 1184, most: () => 8, write: (to, value, at) => writeInt64(microsecondsOf(value), to, at) },
};

/** Since PostgreSQL's epoch. After 2285 to the nearest that a number holds: its columns keep milliseconds. */
function microsecondsOf(time: Date): number {
  const ms = time.getTime();
  // PostgreSQL's code for it: what is to be written beside it must not wait for it.
  if (Number.isNaN(ms)) throw Object.assign(new RangeError('The time is not valid'), { code: '22007' });
  return (ms - postgresEpochMs) * 1_000;
}

/** Without a BigInt for each. @param value an integer */
function writeInt64(value: number, to: Buffer, at: number): number {
  to.writeInt32BE(Math.floor(value / 2 ** 32), at);
  to.writeUInt32BE(((value % 2 ** 32) + 2 ** 32) % 2 ** 32, at + 4);
  return 8;
}

/** Number of dimensions, whether there may be nulls, type; and of the one dimension its length and first index. */
const headerBytes = 5 * 4;

/** One column, as a parameter of the array type of `type`. */
export function arrayOf<Type extends keyof Values>(type: Type, values: readonly (Values[Type] | null)[]): Buffer {
  const { oid, most, write } = formats[type];
  let size = headerBytes;
  // By index, here and below: V8 makes an object for each step of an iterator over arrays of all kinds.
  for (let i = 0; i < values.length; i++) size += 4 + (values[i] === null ? 0 : most(values[i]!));
  const array = Buffer.allocUnsafe(size);
  array.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  array.writeInt32BE(1, 4);
  array.writeInt32BE(oid, 8);
  if (values.length === 0) return array.subarray(0, 12);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  let end = headerBytes;
  for (let i = 0; i < values.length; i++) {
    const length = values[i] === null ? -1 : write(array, values[i]!, end + 4);
    array.writeInt32BE(length, end);
    end += 4 + Math.max(0, length);
  }
  return array.subarray(0, end);
}

/** The columns of `rows`, as parameters for what `unnest` makes of the same columns. */
export function arraysOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Buffer[] {
  // The type goes with what `of` gives, which TypeScript can't follow through the union.
  return columns.map(({ type, of }) => arrayOf(type, rows.map((row) => of(row)) as never));
}

/** A FROM item with the rows of such parameters. @param first number of the first of them */
export function unnest(columns: readonly Column<never>[], first: number, alias: string): string {
  return `unnest(${columns.map(({ type }, index) => `$${first + index}::${type}[]`).join(', ')}) AS ${alias} (${namesOf(columns)})`;
}

export function namesOf(columns: readonly Column<never>[]): string {
  return columns.map(({ name }) => name).join(', ');
}

/** The earliest and the latest of some times, as parameters. @param times one at least */
export function ends(times: Date[]): [string, string] {
  const all = times.map((time) => time.getTime());
  return [new Date(Math.min(...all)).toISOString(), new Date(Math.max(...all)).toISOString()];
}

/**
 * Condition that says again what a join on the time of events says, for PostgreSQL to leave all other days' partitions out before it
 * begins: to open thirty of them for each statement costs more than most statements do.
 */
export function isBetween(column: string, first: string, last: string): string {
  return `${column} >= ${first}::timestamptz AND ${column} <= ${last}::timestamptz`;
}
