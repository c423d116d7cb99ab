import { cut } from '../values/pairs.ts';
import { readKeyValueFiles } from './key-values.ts';
import type { ContainerWish } from './wish.ts';

/**
 * Variables of the container: those of files first, then those of the line, where the last of a name counts, then proxies that neither
 * spelling of the line has set.
 */
export function environmentOf(wish: Pick<ContainerWish, 'flags' | 'env' | 'proxies'>): readonly string[] {
  const { flags, env, proxies } = wish;
  const own = new Map(flags.env.map((variable) => [cut(variable, '=').before, variable]));
  for (const [name, value] of Object.entries(proxies)) {
    for (const spelling of [name, name.toLowerCase()]) {
      if (!own.has(spelling)) own.set(spelling, `${spelling}=${value}`);
    }
  }
  return [...readKeyValueFiles(flags['env-file'], env), ...own.values()];
}
