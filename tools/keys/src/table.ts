// Things as a table for a terminal. Pure.

export type Row = Record<string, unknown>;

/** One line for the names of the columns, one for each row; an unset value is a dash. */
export function table(rows: Row[], columns: string[]): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => shown(row[column])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)));
  return lines.map((line) => line.map((cell, index) => cell.padEnd(widths[index]!)).join('  ').trimEnd()).join('\n');
}

/** Names come from tenants: what would steer a terminal is shown as a question mark. */
function shown(value: unknown): string {
  return textOf(value).replaceAll(/\p{Cc}/gu, '?');
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.join(',') || '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
