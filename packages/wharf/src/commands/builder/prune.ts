import { createInterface } from 'node:readline/promises';
import { byteSize } from '../../build/view/text.ts';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { UsageError } from '../../cli/errors.ts';
import { askDaemon } from '../../daemon-json.ts';
import type { Endpoint } from '../../endpoint.ts';

const SIZES = ['keep-storage', 'max-used-space', 'min-free-space', 'reserved-space'] as const;
const NORMAL = 'WARNING! This will remove all dangling build cache. Are you sure you want to continue? [y/N] ';
const EVERYTHING = 'WARNING! This will remove all build cache. Are you sure you want to continue? [y/N] ';

/** `wharf builder prune`, with docker's flags, question and answer. */
export const prune = defineCommand({
  usage: '[OPTIONS]',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused build cache, not just dangling ones' },
    filter: { kind: 'list', type: 'KEY=VALUE', help: 'Only what fits (e.g. "until=24h", "type=exec.cachemount")' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    'keep-storage': { kind: 'bytes', type: 'BYTES', help: 'Amount of disk space to keep for cache' },
    'max-used-space': { kind: 'bytes', type: 'BYTES', help: 'Maximum amount of disk space allowed to keep for cache' },
    'min-free-space': { kind: 'bytes', type: 'BYTES', help: 'Target amount of free disk space after pruning' },
    'reserved-space': { kind: 'bytes', type: 'BYTES', help: 'Amount of disk space always allowed to keep for cache' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf builder prune --filter until=24h'],
  run: (context) => remove(context.endpoint(), context.flags, context.json),
});

interface Wanted extends Readonly<Record<(typeof SIZES)[number], number | undefined>> {
  readonly all: boolean;
  readonly force: boolean;
  readonly filter: readonly string[];
}

async function remove(endpoint: Endpoint, values: Wanted, json: boolean): Promise<number> {
  const query = new URLSearchParams();
  if (values.all) query.set('all', '1');
  for (const name of SIZES) {
    const size = values[name];
    if (size !== undefined) query.set(name, String(size));
  }
  query.set('filters', JSON.stringify(filtersOf(values.filter)));
  if (!values.force && !(await isWanted(values.all ? EVERYTHING : NORMAL))) return 0;
  const answer = await askDaemon(endpoint, { method: 'POST', path: `/build/prune?${query}` });
  const { CachesDeleted, SpaceReclaimed } = answer as {
    readonly CachesDeleted: readonly string[] | null;
    readonly SpaceReclaimed: number;
  };
  if (json) console.log(JSON.stringify(answer, null, 2));
  else {
    if (CachesDeleted !== null && CachesDeleted.length > 0)
      console.log(`Deleted build cache objects:\n${CachesDeleted.join('\n')}\n`);
    console.log(`Total reclaimed space: ${byteSize(SpaceReclaimed)}`);
  }
  return 0;
}

async function isWanted(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    // The end of input is a no.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return /^y(es)?$/i.test((await Promise.race([lines.question(question), ended])).trim());
  } finally {
    lines.close();
  }
}

function filtersOf(given: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const filters: Record<string, string[]> = {};
  for (const text of given) {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new UsageError(`invalid filter '${text}'`, 'It is given as KEY=VALUE.');
    const name = text.slice(0, equals);
    filters[name] = [...(filters[name] ?? []), text.slice(equals + 1)];
  }
  return filters;
}
