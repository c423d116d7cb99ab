import { formatGoDuration } from '@wharf/kit';
import type { Healthcheck } from '../dockerfile/instructions/types.ts';

/** `["a" "b"]`, as Go prints a list of quoted words. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}

/** A health check, as Go prints its structure. */
export function healthcheckText(check: Healthcheck): string {
  const time = (ns = 0) => formatGoDuration(BigInt(ns));
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries = 0 } = check;
  const words = [
    ...[`Test:[${Test.join(' ')}]`, `Interval:${time(Interval)}`, `Timeout:${time(Timeout)}`],
    ...[`StartPeriod:${time(StartPeriod)}`, `StartInterval:${time(StartInterval)}`, `Retries:${Retries}`],
  ];
  return `{${words.join(' ')}}`;
}
