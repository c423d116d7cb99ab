import type { ImageSummary } from '../commands/image/image-rows.ts';
import { isDangling } from '../commands/image/image-rows.ts';
import type { Style } from '../term/style.ts';
import { humanSize } from '../term/units.ts';
import { type DiskUsage, type UsageRow, usageRows } from './usage.ts';

const BAR_COLUMNS = 30;
const NAMES: Readonly<Record<UsageRow['type'], string>> = {
  Images: 'Images',
  Containers: 'Containers',
  'Local Volumes': 'Volumes',
  'Build Cache': 'Build cache',
};

/** Something that can be removed without loss to what is in use, and how. */
export interface Freeable {
  readonly what: string;
  readonly bytes: number;
  /** More than this may go: layers are shared. */
  readonly isAtLeast: boolean;
  readonly command: string;
  /** What is lost, where it cannot be had again by itself. */
  readonly loss?: string;
}

const STOPPED = new Set(['created', 'exited', 'dead']);
const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;
const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + Math.max(0, size), 0);

/** What can be freed, the least painful first; what is not there is left out. */
export function freeables(usage: DiskUsage): readonly Freeable[] {
  const all = [cacheOf(usage), danglingOf(usage), stoppedOf(usage), unusedOf(usage), volumesOf(usage)];
  return all.filter((each) => each !== undefined);
}

function cacheOf(usage: DiskUsage): Freeable | undefined {
  const row = usageRows(usage).find(({ type }) => type === 'Build Cache');
  const free = (usage.BuildCache ?? []).filter(({ InUse }) => !InUse);
  if (row === undefined || free.length === 0) return undefined;
  const what = `build cache, ${count(free.length, 'entry', 'entries')}: the next build takes longer`;
  return { what, bytes: row.reclaimable, isAtLeast: false, command: 'wharf builder prune --all' };
}

const own = ({ Size, SharedSize }: ImageSummary): number => Size - Math.max(0, SharedSize);

function danglingOf({ Images }: DiskUsage): Freeable | undefined {
  const free = (Images ?? []).filter((image) => image.Containers === 0 && isDangling(image));
  if (free.length === 0) return undefined;
  const what = `${count(free.length, 'image')} without a name`;
  return { what, bytes: sum(free.map(own)), isAtLeast: true, command: 'wharf image prune' };
}

function unusedOf({ Images }: DiskUsage): Freeable | undefined {
  const free = (Images ?? []).filter((image) => image.Containers === 0 && !isDangling(image));
  if (free.length === 0) return undefined;
  const what = `${count(free.length, 'image')} that no container uses`;
  const loss = 'they are pulled or built again when they are wanted';
  return { what, bytes: sum(free.map(own)), isAtLeast: true, command: 'wharf image prune --all', loss };
}

function stoppedOf({ Containers }: DiskUsage): Freeable | undefined {
  const free = (Containers ?? []).filter(({ State = '' }) => STOPPED.has(State));
  if (free.length === 0) return undefined;
  const loss = 'what was written outside of volumes is lost';
  const what = `${count(free.length, 'stopped container')}`;
  const bytes = sum(free.map(({ SizeRw = 0 }) => SizeRw));
  return { what, bytes, isAtLeast: false, command: 'wharf container prune', loss };
}

function volumesOf({ Volumes }: DiskUsage): Freeable | undefined {
  const free = (Volumes ?? []).filter(({ UsageData }) => UsageData?.RefCount === 0);
  if (free.length === 0) return undefined;
  const what = `${count(free.length, 'volume')} that no container has`;
  const bytes = sum(free.map(({ UsageData }) => UsageData?.Size ?? 0));
  return { what, bytes, isAtLeast: false, command: 'wharf volume prune --all', loss: 'their data is lost' };
}

/** The disk in words and bars. A bar's full part is in use, its pale part can be freed. */
export function explainUsage(usage: DiskUsage, style: Style): string {
  const rows = usageRows(usage);
  const total = sum(rows.map(({ bytes }) => bytes));
  const most = Math.max(1, ...rows.map(({ bytes }) => bytes));
  const lines = rows.map((row) => {
    const name = NAMES[row.type].padEnd(12);
    const size = humanSize(row.bytes, 3).padStart(8);
    const used = count(row.active, 'in use', 'in use');
    return `  ${style.bold(name)} ${size}  ${barOf(row, most, style)}  ${row.total} there, ${used}`;
  });
  return [`${humanSize(total, 3)} in all`, '', ...lines, '', ...freeLines(freeables(usage), style), ''].join('\n');
}

function barOf({ bytes, reclaimable }: UsageRow, most: number, style: Style): string {
  const length = bytes === 0 ? 0 : Math.max(1, Math.round((bytes / most) * BAR_COLUMNS));
  const free = Math.round((Math.min(bytes, Math.max(0, reclaimable)) / Math.max(1, bytes)) * length);
  return `${'█'.repeat(length - free)}${style.faint('░'.repeat(free))}${' '.repeat(BAR_COLUMNS - length)}`;
}

function freeLines(found: readonly Freeable[], style: Style): readonly string[] {
  if (found.length === 0) return ['Nothing can be freed: everything is in use.'];
  const lines = found.flatMap(({ what, bytes, isAtLeast, command, loss }) => [
    `  ${(isAtLeast ? `≥${humanSize(bytes, 3)}` : humanSize(bytes, 3)).padStart(8)}  ${what}${loss === undefined ? '' : ` (${loss})`}`,
    `            ${style.bold(command)}`,
  ]);
  return [
    'What can be freed:',
    ...lines,
    '',
    `At once, except volumes with a name: ${style.bold('wharf system prune --all --volumes')}`,
  ];
}
