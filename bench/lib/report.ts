import type { Metric } from './case.ts';

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly samples: number;
}

export interface Row {
  readonly metric: Metric;
  readonly wharf: Spread;
  readonly docker: Spread | undefined;
  /** Ours divided by the peer's, of the medians. */
  readonly ratio: number | undefined;
  readonly kept: boolean | undefined;
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), samples: sorted.length };
}

export function rowOf(metric: Metric, wharf: Spread, docker: Spread | undefined): Row {
  const ratio = docker === undefined ? undefined : wharf.p50 / docker.p50;
  let kept: boolean | undefined;
  if (metric.maxRatio !== undefined && ratio !== undefined) kept = ratio <= metric.maxRatio;
  if (metric.maxValue !== undefined) kept = wharf.p50 <= metric.maxValue;
  return { metric, wharf, docker, ratio, kept };
}

/** The rows as a Markdown table, fit for README. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['what', 'wharf p50', 'p95', 'dockerd p50', 'p95', 'ratio', 'promise', ''];
  const body = rows.map(({ metric, wharf, docker, ratio, kept }) => [
    metric.title,
    shown(wharf.p50, metric),
    shown(wharf.p95, metric),
    docker === undefined ? '–' : shown(docker.p50, metric),
    docker === undefined ? '–' : shown(docker.p95, metric),
    ratio === undefined ? '–' : ratio.toFixed(2),
    promiseOf(metric),
    kept === undefined ? '' : kept ? 'kept' : 'MISSED',
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}

function shown(value: number, metric: Metric): string {
  if (metric.unit === 'MiB') return `${value.toFixed(1)} MiB`;
  if (metric.unit === 'count') return String(Math.round(value));
  if (metric.unit === 'times') return value.toFixed(2);
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

function promiseOf({ maxRatio, maxValue, unit }: Metric): string {
  if (maxValue !== undefined) return unit === 'count' || unit === 'times' ? `≤ ${maxValue}` : `≤ ${maxValue} ${unit}`;
  return maxRatio === undefined ? '' : `≤ ${maxRatio}`;
}
