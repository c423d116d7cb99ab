import { parseGoDuration, parseRfc3339, WharfError } from '@wharf/kit';
import { type BuildRecord, statusOf } from './record.ts';

export type RecordFilter = (record: BuildRecord) => boolean;

const TIMES = ['startedAt', 'completedAt', 'duration'];

/**
 * Reads the filters of a history request (BuildKit, `BuildHistoryRequest.Filter`). Of several filters one must match; each is a
 * comma-separated list of conditions that must all hold: `ref`, `repository` and `status` with `==`, `!=` or `~=`, and `startedAt`,
 * `completedAt` and `duration` with `<`, `<=`, `>` or `>=`. `~=` finds its value as a text anywhere: patterns of a client are not run.
 * Throws `invalid-argument`.
 */
export function parseFilters(filters: readonly string[], nowMs: number): RecordFilter {
  const parsed = filters.map((filter) => {
    const conditions = filter.split(',').map((condition) => parseCondition(condition.trim(), nowMs));
    return (record: BuildRecord) => conditions.every((holds) => holds(record));
  });
  return (record) => parsed.length === 0 || parsed.some((matches) => matches(record));
}

function parseCondition(text: string, nowMs: number): RecordFilter {
  const match = /^([A-Za-z]+)(==|!=|~=|<=|>=|<|>)(.*)$/s.exec(text);
  const [, key = '', operator = '', quoted = ''] = match ?? [];
  const value = /^".*"$/s.test(quoted) ? quoted.slice(1, -1) : quoted;
  if (TIMES.includes(key) && /^[<>]/.test(operator)) return timeCondition(key, operator, value, nowMs);
  if (!['ref', 'repository', 'status'].includes(key) || /^[<>]/.test(operator) || match === null) {
    throw new WharfError(
      'invalid-argument',
      `failed to parse history filters "${text}": use ref, repository or status with ==, != or ~=, or startedAt, completedAt or duration with <, <=, > or >=`,
    );
  }
  return (record) => {
    const actual = textOf(record, key);
    if (operator === '==') return actual === value;
    return operator === '!=' ? actual !== value : actual.includes(value);
  };
}

function textOf(record: BuildRecord, key: string): string {
  if (key === 'ref') return record.ref;
  if (key === 'status') return statusOf(record);
  return record.attrs['vcs:source'] ?? record.attrs['context'] ?? '';
}

function timeCondition(key: string, operator: string, value: string, nowMs: number): RecordFilter {
  const wanted = key === 'duration' ? durationMs(value) : timeMs(value, nowMs);
  return (record) => {
    const actual = timeOf(record, key);
    if (operator === '>=') return actual >= wanted;
    if (operator === '<=') return actual <= wanted;
    return operator === '>' ? actual > wanted : actual < wanted;
  };
}

function timeOf({ createdAt, completedAt }: BuildRecord, key: string): number {
  if (key === 'startedAt') return createdAt;
  if (key === 'completedAt') return completedAt ?? 0;
  return completedAt === undefined ? 0 : completedAt - createdAt;
}

function durationMs(text: string): number {
  return Number(parseGoDuration(text)) / 1e6;
}

/** A time, or how long ago it was. */
function timeMs(text: string, nowMs: number): number {
  const time = parseRfc3339(text);
  return time === undefined ? nowMs - durationMs(text) : Number(time / 1_000_000n);
}
