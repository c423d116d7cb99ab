import { parseGoDuration, WharfError } from '@wharf/kit';
import type { HealthConfig } from '@wharf/wire/docker/types';
import { execForm } from './change-words.ts';

const durations: Readonly<Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

/** Docker's least interval of a health check: one millisecond. */
const LEAST_NS = 1_000_000n;

/** Reads the arguments of a HEALTHCHECK instruction. Throws `invalid-argument`. */
export function parseHealthcheck(text: string): HealthConfig {
  const health: { -readonly [K in keyof HealthConfig]: HealthConfig[K] } = {};
  let rest = text;
  for (let flag = nextFlag(rest); flag !== undefined; flag = nextFlag(rest)) {
    rest = flag.rest;
    const field = durations[flag.name];
    if (field !== undefined) health[field] = duration(flag.name, flag.value);
    else if (flag.name === 'retries') health.Retries = retries(flag.value);
    else throw invalid(`unknown flag: ${flag.name}`);
  }
  const match = /^(\S+)\s*([\s\S]*)$/.exec(rest);
  const kind = (match?.[1] ?? '').toUpperCase();
  const command = match?.[2] ?? '';
  if (kind === 'NONE') {
    if (command !== '') throw invalid('HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (kind !== 'CMD')
    throw invalid(
      kind === ''
        ? 'HEALTHCHECK requires at least one argument'
        : `Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`,
    );
  if (command === '') throw invalid('Missing command after HEALTHCHECK CMD');
  const list = execForm(command);
  return { Test: list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list], ...health };
}

function nextFlag(text: string): { readonly name: string; readonly value: string; readonly rest: string } | undefined {
  const match = /^--([a-z-]+)=(\S*)\s*([\s\S]*)$/.exec(text);
  return match ? { name: match[1] ?? '', value: match[2] ?? '', rest: match[3] ?? '' } : undefined;
}

function duration(name: string, value: string): number {
  const ns = parseGoDuration(value);
  if (ns < 0n || (ns > 0n && ns < LEAST_NS)) throw invalid(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return Number(ns);
}

function retries(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw invalid(`--retries must be a number, not ${JSON.stringify(value)}`);
  return Number(value);
}

function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
