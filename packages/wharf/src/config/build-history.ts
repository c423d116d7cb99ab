import type { BuildHistoryConfig } from '@wharf/engine/engine-config';
import { parseGoDuration, WharfError } from '@wharf/kit';

const USUAL: BuildHistoryConfig = { maxEntries: 50, maxAgeMs: 48 * 3600 * 1000 };

/**
 * Reads `builder.history` as dockerd's daemon.json has it: `{"maxEntries": 50, "maxAge": "48h"}`; an age may be a number of seconds, and
 * letters of keys may be of either case. Throws `invalid-argument`.
 */
export function parseBuildHistoryConfig(text: string): BuildHistoryConfig {
  const document: unknown = JSON.parse(text);
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw wrong('', 'an object');
  let { maxEntries, maxAgeMs } = USUAL;
  for (const [key, value] of Object.entries(document)) {
    const name = key.toLowerCase();
    if (name === 'maxentries') maxEntries = entriesOf(value);
    else if (name === 'maxage') maxAgeMs = ageOf(value);
    else throw wrong(`.${key}`, 'left out: only maxEntries and maxAge are known');
  }
  return { maxEntries, maxAgeMs };
}

function entriesOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong('.maxEntries', 'a whole number');
}

function ageOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value * 1000;
  try {
    const ns = parseGoDuration(String(value));
    if (ns >= 0n) return Number(ns / 1_000_000n);
  } catch {
    // The sentence below says what it should be.
  }
  throw wrong('.maxAge', 'a duration such as "48h"');
}

function wrong(key: string, expected: string): WharfError {
  return new WharfError('invalid-argument', `invalid value of "builder.history${key}": must be ${expected}`);
}
