import type { DockerClient } from '@wharf/wire/docker-client/client';
import { byteSize } from '../../build/view/text.ts';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { UsageError } from '../../cli/errors.ts';
import { printColumns } from '../print-columns.ts';

/** An entry of the cache as `GET /system/df` has it. */
interface Entry {
  readonly ID: string;
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt: string | null;
  readonly UsageCount: number;
  readonly Parents?: readonly string[] | null;
}

/** `wharf builder du`: the entries of the build cache, the largest last, and what can be given back. */
export const du = defineCommand({
  usage: '[OPTIONS]',
  flags: {
    filter: { kind: 'list', type: 'KEY=VALUE', help: 'Only what fits: id, type, description, inuse, shared' },
    verbose: { kind: 'bool', help: 'Everything that is known of each entry' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf builder du', 'wharf builder du --filter type=exec.cachemount --verbose'],
  run: async (context) => show(await context.client(), context.flags, context.json),
});

interface Wanted {
  readonly filter: readonly string[];
  readonly verbose: boolean;
}

async function show(daemon: DockerClient, { filter, verbose }: Wanted, json: boolean): Promise<number> {
  const answer = await daemon.json<{ readonly BuildCache?: readonly Entry[] | null }>('GET', '/system/df', {
    query: { type: 'build-cache' },
  });
  const entries = (answer.BuildCache ?? []).filter((entry) => filter.every((text) => fits(entry, text)));
  const sorted = entries.toSorted((left, right) => left.Size - right.Size);
  if (json) console.log(JSON.stringify(sorted, null, 2));
  else if (verbose) for (const entry of sorted) printEntry(entry);
  else {
    const rows = sorted.map((entry) => [
      entry.ID.slice(0, 25) + (isFree(entry) ? '' : '*'),
      String(isFree(entry)),
      byteSize(entry.Size),
      ago(entry.LastUsedAt),
      entry.Description.slice(0, 60),
    ]);
    printColumns([['ID', 'RECLAIMABLE', 'SIZE', 'LAST ACCESSED', 'DESCRIPTION'], ...rows]);
  }
  if (!json) printTotals(sorted);
  return 0;
}

function isFree({ InUse, Shared }: Entry): boolean {
  return !InUse && !Shared;
}

function printTotals(entries: readonly Entry[]): void {
  const sum = (some: readonly Entry[]) => byteSize(some.reduce((total, { Size }) => total + Size, 0));
  printColumns([
    ['Shared:', sum(entries.filter(({ Shared }) => Shared))],
    ['Private:', sum(entries.filter(({ Shared }) => !Shared))],
    ['Reclaimable:', sum(entries.filter(isFree))],
    ['Total:', sum(entries)],
  ]);
}

function printEntry(entry: Entry): void {
  const { ID, Type, Description, InUse, Shared, Size, CreatedAt, LastUsedAt, UsageCount, Parents } = entry;
  printColumns([
    ['ID:', ID],
    ...(Parents ? [['Parents:', Parents.join(', ')]] : []),
    ['Created at:', CreatedAt],
    ['Last used:', LastUsedAt ?? 'never'],
    ['Usage count:', String(UsageCount)],
    ['In use:', String(InUse)],
    ['Shared:', String(Shared)],
    ['Size:', byteSize(Size)],
    ['Description:', Description],
    ['Type:', Type],
  ]);
  console.log('');
}

function fits(entry: Entry, text: string): boolean {
  const [name = '', ...rest] = text.split('=');
  const value = rest.join('=').replace(/^=/, '');
  switch (name) {
    case 'id':
      return entry.ID.startsWith(value);
    case 'type':
      return entry.Type === value;
    case 'description':
      return entry.Description.includes(value);
    case 'inuse':
      return entry.InUse === (value !== 'false' && value !== '0');
    case 'shared':
      return entry.Shared === (value !== 'false' && value !== '0');
    default:
      throw new UsageError(`invalid filter '${name}'`, 'There are id, type, description, inuse and shared.');
  }
}

function ago(time: string | null): string {
  if (time === null) return '';
  const minutes = Math.max(0, (Date.now() - Date.parse(time)) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${Math.floor(minutes)} minutes ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} hours ago`;
  return `${Math.floor(minutes / 60 / 24)} days ago`;
}
