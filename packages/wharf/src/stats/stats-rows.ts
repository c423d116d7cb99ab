import type { RowKind } from '../term/rows.ts';
import { shortId } from '../term/short-text.ts';
import { binarySize, humanSize, percent } from '../term/units.ts';
import type { StatsSample } from './sample.ts';

/** A container and what is known of its use; without a sample nothing came in time. */
export interface StatsRow {
  /** As it was asked for. */
  readonly container: string;
  readonly sample: StatsSample | undefined;
  /** The sample is too old to be shown, but says whose it is. */
  readonly isStale: boolean;
}

const UNKNOWN = '--';

/** Docker's template for a source of `--format`. */
export function statsFormat(source: string): string {
  if (source !== 'table') return source;
  const names = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];
  return `table ${names.map((name) => `{{.${name}}}`).join('\\t')}`;
}

/** The columns of docker's table. */
export function statsRows(trunc: boolean): RowKind<StatsRow> {
  const known =
    (text: (sample: StatsSample) => string, unknown = UNKNOWN) =>
    ({ sample, isStale }: StatsRow): string =>
      sample === undefined || isStale ? unknown : text(sample);
  return {
    goType: '*container.statsContext',
    columns: {
      Container: { header: 'CONTAINER', value: ({ container }) => container },
      Name: { header: 'NAME', value: ({ sample }) => sample?.name || UNKNOWN },
      ID: { header: 'CONTAINER ID', value: ({ sample }) => (trunc ? shortId(sample?.id ?? '') : (sample?.id ?? '')) },
      CPUPerc: { header: 'CPU %', value: known(({ cpuPercent }) => percent(cpuPercent)) },
      MemUsage: { header: 'MEM USAGE / LIMIT', value: known(memoryText, '-- / --') },
      MemPerc: { header: 'MEM %', value: known(({ memoryPercent }) => percent(memoryPercent)) },
      NetIO: { header: 'NET I/O', value: known(networkText) },
      BlockIO: { header: 'BLOCK I/O', value: known(diskText) },
      PIDs: { header: 'PIDS', value: known(({ processes }) => String(processes)) },
    },
  };
}

export function memoryText({ memoryBytes, memoryLimitBytes }: StatsSample): string {
  return `${binarySize(memoryBytes)} / ${binarySize(memoryLimitBytes)}`;
}

export function networkText({ receivedBytes, sentBytes }: StatsSample): string {
  return `${humanSize(receivedBytes, 3)} / ${humanSize(sentBytes, 3)}`;
}

export function diskText({ readBytes, writtenBytes }: StatsSample): string {
  return `${humanSize(readBytes, 3)} / ${humanSize(writtenBytes, 3)}`;
}
