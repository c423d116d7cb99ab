import { fit, pad, widthOf } from '../build/view/text.ts';
import type { TerminalSize } from '../term/size.ts';
import { sparkline } from '../term/sparkline.ts';
import type { Style } from '../term/style.ts';
import { binarySize, percent } from '../term/units.ts';
import type { StatsFeed } from './feed.ts';
import { diskText, memoryText, networkText, type StatsRow } from './stats-rows.ts';

/** What a frame is drawn from: a feed, as far as the picture needs it. */
export type Watched = Pick<StatsFeed, 'cpu' | 'memory'> & { row(): StatsRow };

const GAP = 2;
const LEAST_SPARK = 8;
const MOST_SPARK = 30;
const LEAST_NAME = 10;
const BUSY = 90;
const WARM = 50;
/** The least that fills a bar: small stirrings shall not look like storms. */
const CPU_TOP = 10;

interface Cell {
  readonly text: string;
  readonly painted?: string;
}

/** The lines of the live table: as many containers as the terminal has rows, columns as it is wide. */
export function liveTable(
  feeds: readonly Watched[],
  { size, style }: { readonly size: TerminalSize; readonly style: Style },
): readonly string[] {
  const room = Math.max(1, size.rows - 2);
  const shown = feeds.length > room ? feeds.slice(0, room - 1) : feeds;
  const rows = shown.map((feed) => ({ feed, ...feed.row() }));
  const spark = sparkWidth(size.columns);
  const header = ['NAME', 'CPU %', 'MEMORY', 'NET I/O', 'BLOCK I/O', 'PIDS'];
  const table = rows.map((row) => cellsOf(row, spark, style));
  const widths = header.map((title, column) =>
    Math.max(widthOf(title), ...table.map((cells) => widthOf(cells[column]?.text ?? ''))),
  );
  const kept = keepColumns(widths, size.columns);
  const line = (cells: readonly Cell[]): string =>
    kept
      .map((column) => {
        const { text, painted } = cells[column] ?? { text: '' };
        const width = widths[column] ?? 0;
        if (widthOf(text) > width) return fit(text, width);
        return painted === undefined ? pad(text, width) : painted + ' '.repeat(width - widthOf(text));
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  const lines = [line(header.map((text) => ({ text, painted: style.bold(text) }))), ...table.map(line)];
  if (shown.length < feeds.length) lines.push(style.faint(`… and ${feeds.length - shown.length} more`));
  if (feeds.length === 0) lines.push(style.faint('No container is running.'));
  return lines;
}

function sparkWidth(columns: number): number {
  return Math.max(LEAST_SPARK, Math.min(MOST_SPARK, Math.trunc((columns - 70) / 2)));
}

function cellsOf(row: StatsRow & { readonly feed: Watched }, spark: number, style: Style): readonly Cell[] {
  const { sample, isStale, container, feed } = row;
  const name = fit(sample?.name || container, 32);
  if (sample === undefined || isStale) {
    const nothing = ['--', '--', '--', '--', '--'].map((text) => ({ text, painted: style.faint(text) }));
    return [{ text: name, painted: style.faint(name) }, ...nothing];
  }
  const cpu = percent(sample.cpuPercent).padStart(8);
  const cpuBars = sparkline(feed.cpu, spark, CPU_TOP);
  const limited = sample.memoryLimitBytes > 0;
  const memory = limited ? memoryText(sample) : binarySize(sample.memoryBytes);
  const memoryBars = sparkline(feed.memory, spark);
  return [
    { text: name, painted: style.bold(name) },
    { text: `${cpu} ${cpuBars}`, painted: `${heat(sample.cpuPercent, style)(cpu)} ${style.cyan(cpuBars)}` },
    {
      text: `${memoryBars} ${memory}`,
      painted: `${style.magenta(memoryBars)} ${heat(sample.memoryPercent, style)(memory)}`,
    },
    { text: networkText(sample) },
    { text: diskText(sample) },
    { text: String(sample.processes) },
  ];
}

function heat(share: number, style: Style): (text: string) => string {
  if (share >= BUSY) return style.red;
  return share >= WARM ? style.yellow : (text) => text;
}

/** Columns go from the right until the rest has room; the name is cut at last. */
function keepColumns(widths: number[], columns: number): readonly number[] {
  const kept = [...widths.keys()];
  const total = (): number => kept.reduce((sum, column) => sum + (widths[column] ?? 0) + GAP, -GAP);
  // Processes, disk and network say less than CPU and memory.
  while (kept.length > 2 && total() > columns) kept.pop();
  const over = total() - columns;
  if (over > 0) widths[0] = Math.max(LEAST_NAME, (widths[0] ?? 0) - over);
  return kept;
}
