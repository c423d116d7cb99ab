import { refuse } from '../values/refuse.ts';
import type { ContainerFlags } from './flags.ts';

/** A health check as the Engine API has it, times in nanoseconds; `undefined` is the image's own. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

const SETTINGS = {
  'health-interval': 'Interval',
  'health-timeout': 'Timeout',
  'health-retries': 'Retries',
  'health-start-period': 'StartPeriod',
  'health-start-interval': 'StartInterval',
} as const;

/** Reads `--health-*` and `--no-healthcheck`. Throws in docker's words. */
export function healthOf(flags: ContainerFlags): Healthcheck | undefined {
  const command = flags['health-cmd'] || undefined;
  const names = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];
  const set = names.filter((name) => (flags[name] ?? 0) !== 0);
  const isAny = command !== undefined || set.length > 0;
  if (flags['no-healthcheck']) {
    if (isAny) throw refuse('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!isAny) return undefined;
  for (const name of set) if ((flags[name] ?? 0) < 0) throw refuse(`--${name} cannot be negative`);
  return {
    ...(command === undefined ? {} : { Test: ['CMD-SHELL', command] }),
    ...Object.fromEntries(set.map((name) => [SETTINGS[name], flags[name]])),
  };
}
