import { parseGoCsv } from '@wharf/kit/go-csv';
import { parseGoInteger } from '@wharf/kit/go-numbers';
import { cut, toMap } from './pairs.ts';
import { refuse } from './refuse.ts';

/** Devices of a driver, as the Engine API has them. */
export interface DeviceRequest {
  readonly Driver: string;
  readonly Count: number;
  readonly DeviceIDs: readonly string[] | null;
  readonly Capabilities: readonly (readonly string[])[] | null;
  readonly Options: Readonly<Record<string, string>> | null;
}

/** Reads `--gpus all`, `2`, `device=0,…`, `driver=…,"capabilities=a,b"`. */
export function parseGpus(text: string): DeviceRequest {
  const seen = new Set<string>();
  let [driver, count] = ['', 0];
  let ids: readonly string[] | null = null;
  let capabilities: readonly (readonly string[])[] = [['gpu']];
  let options: Readonly<Record<string, string>> = {};
  for (const field of parseGoCsv(text)) {
    const { before: key, after: value, found } = cut(field, '=');
    if (seen.has(key)) throw refuse(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (!found) {
      seen.add('count');
      count = parseCount(key);
    } else if (key === 'driver') driver = value;
    else if (key === 'count') count = parseCount(value);
    else if (key === 'device') ids = value.split(',');
    else if (key === 'capabilities') capabilities = [[...value.split(','), 'gpu']];
    else if (key === 'options') options = parseOptions(value);
    else throw refuse(`unexpected key '${key}' in '${field}'`);
  }
  if (!seen.has('count') && ids === null) count = 1;
  return { Driver: driver, Count: count, DeviceIDs: ids, Capabilities: capabilities, Options: options };
}

function parseCount(text: string): number {
  if (text === 'all') return -1;
  try {
    return Number(parseGoInteger(text, { as: 'Atoi', bare: true }));
  } catch (error) {
    throw refuse(`invalid count (${text}): value must be either "all" or an integer: ${(error as Error).message}`);
  }
}

function parseOptions(text: string): Readonly<Record<string, string>> {
  try {
    return toMap(parseGoCsv(text));
  } catch (error) {
    throw refuse(`failed to read gpu options: ${(error as Error).message}`);
  }
}
