import { boolType, intType, sliceOf, stringType } from '@wharf/kit/go-template/types';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { UsageError } from '../../cli/errors.ts';
import type { CacheRecord, DiskUsage } from '../../disk-usage/usage.ts';
import { goTimeFromJson } from '../../term/go-time.ts';
import { printRows, type RowKind } from '../../term/rows.ts';
import { humanSize, since } from '../../term/units.ts';

const TABLE = 'table {{.ID}}\\t{{.Reclaimable}}\\t{{.Size}}\\t{{.LastUsedAt}}';
/** Where the values of the totals begin, in columns of tabs. */
const TOTALS_COLUMN = 16;
const TAB = 8;

/** `wharf builder du`: the entries of the build cache, the largest last, and what can be given back; buildx's bytes. */
export const du = defineCommand({
  usage: '[OPTIONS]',
  description: 'Disk usage',
  flags: {
    filter: {
      kind: 'list',
      type: 'filter',
      help: 'Provide filter values: id, type, description, inuse, shared, mutable',
    },
    format: { kind: 'string', default: '', help: 'Format the output' },
    verbose: { kind: 'bool', help: 'Shorthand for "--format=pretty"' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf builder du', 'wharf builder du --filter type=exec.cachemount --verbose'],
  run: async (context) => {
    const { flags, out, json } = context;
    if (flags.format !== '' && flags.verbose) {
      throw new UsageError('--format and --verbose cannot be used together');
    }
    const usage = await (await context.client()).json<DiskUsage>('GET', '/system/df', {
      query: { type: 'build-cache' },
    });
    const entries = (usage.BuildCache ?? []).filter((entry) => flags.filter.every((text) => fits(entry, text)));
    const rows = entries.toSorted((one, other) => one.Size - other.Size || (one.ID < other.ID ? -1 : 1));
    const isPretty = flags.verbose || flags.format === 'pretty';
    const isTable = flags.format === '' || flags.format === 'table';
    if (json) out.line(JSON.stringify(rows, null, 2));
    else if (isPretty) for (const entry of rows) out.line(`${prettyLines(entry).join('\n')}\n`);
    else
      await printRows(out, kindOf(isTable || flags.format.startsWith('table')), {
        rows,
        format: isTable ? TABLE : flags.format,
      });
    if (!json && (isPretty || isTable) && flags.filter.length === 0) out.write(totals(rows));
  },
});

/** Cache mounts and local sources are written to while they are there. */
function isMutable({ Type }: CacheRecord): boolean {
  return Type === 'exec.cachemount' || Type === 'source.local';
}

function kindOf(isTable: boolean): RowKind<CacheRecord> {
  return {
    goType: '*commands.diskusageContext',
    columns: {
      ID: { header: 'ID', value: (entry) => `${entry.ID}${isTable && isMutable(entry) ? '*' : ''}` },
      Parents: { header: 'PARENTS', type: sliceOf(stringType), value: ({ Parents }) => Parents ?? null },
      CreatedAt: { header: 'CREATED AT', value: ({ CreatedAt }) => goTimeFromJson(CreatedAt) },
      Mutable: { header: 'MUTABLE', type: boolType, value: isMutable },
      Reclaimable: { header: 'RECLAIMABLE', type: boolType, value: ({ InUse }) => !InUse },
      Shared: { header: 'SHARED', type: boolType, value: ({ Shared }) => Shared },
      Size: { header: 'SIZE', value: ({ Size, Shared }) => `${humanSize(Size)}${isTable && Shared ? '*' : ''}` },
      Description: { header: 'DESCRIPTION', value: ({ Description }) => Description },
      UsageCount: { header: 'USAGE COUNT', type: intType, value: ({ UsageCount }) => UsageCount },
      LastUsedAt: { header: 'LAST ACCESSED', value: lastUse },
      Type: { header: 'TYPE', value: ({ Type }) => Type },
    },
  };
}

function lastUse({ LastUsedAt }: CacheRecord): string {
  return LastUsedAt ? since(Date.parse(LastUsedAt) / 1000) : '';
}

function prettyLines(entry: CacheRecord): readonly string[] {
  const { ID, Parents, CreatedAt, InUse, Shared, Size, Description, UsageCount, Type } = entry;
  return [
    `ID:           ${ID}`,
    ...(Parents?.length ? ['Parents:', ...Parents.map((parent) => ` - ${parent}`)] : []),
    `Created at:   ${goTimeFromJson(CreatedAt)}`,
    `Mutable:      ${isMutable(entry)}`,
    `Reclaimable:  ${!InUse}`,
    `Shared:       ${Shared}`,
    `Size:         ${humanSize(Size)}`,
    ...(Description === '' ? [] : [`Description:  ${Description}`]),
    `Usage count:  ${UsageCount}`,
    ...(lastUse(entry) === '' ? [] : [`Last used:    ${lastUse(entry)}`]),
    ...(Type === '' ? [] : [`Type:         ${Type}`]),
  ];
}

function totals(entries: readonly CacheRecord[]): string {
  const sum = (some: readonly CacheRecord[]) => some.reduce((total, { Size }) => total + Size, 0);
  const [total, shared] = [sum(entries), sum(entries.filter(({ Shared }) => Shared))];
  const free = sum(entries.filter(({ InUse }) => !InUse));
  const lines: readonly (readonly [string, number])[] = [
    ...(shared > 0
      ? ([
          ['Shared:', shared],
          ['Private:', total - shared],
        ] as const)
      : []),
    ...([
      ['Reclaimable:', free],
      ['Total:', total],
    ] as const),
  ];
  return lines
    .map(([name, size]) => `${name}${'\t'.repeat(Math.ceil((TOTALS_COLUMN - name.length) / TAB))}${humanSize(size)}\n`)
    .join('');
}

function fits(entry: CacheRecord, text: string): boolean {
  const [name = '', ...rest] = text.split('=');
  const value = rest.join('=').replace(/^=/, '');
  const flag = value !== 'false' && value !== '0';
  switch (name) {
    case 'id':
      return entry.ID.startsWith(value);
    case 'type':
      return entry.Type === value;
    case 'description':
      return entry.Description.includes(value);
    case 'inuse':
      return entry.InUse === flag;
    case 'shared':
      return entry.Shared === flag;
    case 'mutable':
      return isMutable(entry) === flag;
    default:
      throw new UsageError(`invalid filter '${name}'`, 'There are id, type, description, inuse, shared and mutable.');
  }
}
