/** Parsers of the files of cgroup directories (Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst). */

/** A counter; `bigint` only where it does not fit a double. */
export type Counter = number | bigint;

/** Decimal digits as a number, exactly. */
export function parseCounter(text: string): Counter {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text.trim());
}

/** `key value` lines. */
export function parseFlat(text: string): Record<string, Counter> {
  const values: Record<string, Counter> = {};
  for (const line of text.split('\n')) {
    const [key, value] = line.split(' ');
    if (key !== undefined && key !== '' && value !== undefined && /^\d+$/.test(value))
      values[key] = parseCounter(value);
  }
  return values;
}

/** A limit: `undefined` for `max`, and for v1's "page counter maximum", which stands for none. */
export function parseLimit(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'max' || trimmed === '') return undefined;
  const value = Number(trimmed);
  return value >= 0x7fff_ffff_ffff_0000 ? undefined : value;
}

/** One counter of one block device. */
export interface DeviceCounter {
  readonly major: number;
  readonly minor: number;
  /** As the kernel writes it: `Read`, `Write`, `Sync`, … on v1, `read` and `write` made from `rbytes` … on v2. */
  readonly op: string;
  readonly value: number;
}

/** v1: `8:0 Read 4096` lines; the last line, `Total`, has no device. */
export function parseV1Blkio(text: string): DeviceCounter[] {
  const counters: DeviceCounter[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    if (match)
      counters.push({ major: Number(match[1]), minor: Number(match[2]), op: match[3] ?? '', value: Number(match[4]) });
  }
  return counters;
}

/** v2 io.stat: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0` lines, as bytes and operations. */
export function parseIoStat(text: string): { readonly bytes: DeviceCounter[]; readonly operations: DeviceCounter[] } {
  const bytes: DeviceCounter[] = [];
  const operations: DeviceCounter[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (!match) continue;
    const device = { major: Number(match[1]), minor: Number(match[2]) };
    for (const field of (match[3] ?? '').split(' ')) {
      const [key, value] = field.split('=');
      if (key === 'rbytes') bytes.push({ ...device, op: 'read', value: Number(value) });
      if (key === 'wbytes') bytes.push({ ...device, op: 'write', value: Number(value) });
      if (key === 'rios') operations.push({ ...device, op: 'read', value: Number(value) });
      if (key === 'wios') operations.push({ ...device, op: 'write', value: Number(value) });
    }
  }
  return { bytes, operations };
}
