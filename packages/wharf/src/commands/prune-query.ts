import type { CliContext } from '../cli/context.ts';
import { type FilterPair, filterQuery } from '../cli/filter-flag.ts';
import type { FlagTable } from '../cli/flags.ts';
import { readSettings } from '../cli/settings.ts';

/**
 * The `filters` of a clean-up: those of the line, and those of `pruneFilters` in the client's configuration that do not say the
 * contrary.
 */
export function pruneQuery<T extends FlagTable>(
  { configDirectory }: CliContext<T>,
  pairs: readonly FilterPair[],
): ReturnType<typeof filterQuery> {
  const all = [...pairs];
  const isSaid = (key: string, value: string): boolean =>
    all.some((pair) => pair !== undefined && pair[0] === key && pair[1] === value);
  for (const text of readSettings(configDirectory).pruneFilters ?? []) {
    const equals = text.indexOf('=');
    if (equals < 0) continue;
    const [key, value] = [text.slice(0, equals), text.slice(equals + 1)];
    const contrary = key === 'label' ? 'label!' : key === 'label!' ? 'label' : undefined;
    if (contrary === undefined || !isSaid(contrary, value)) all.push([key, value]);
  }
  return filterQuery(all);
}
