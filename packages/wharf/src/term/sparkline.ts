const BARS = '▁▂▃▄▅▆▇█';

/** The last `width` values as bars, the highest of them (or `top`) full; blanks before the first. */
export function sparkline(values: readonly number[], width: number, top = 0): string {
  const shown = values.slice(-width);
  const highest = Math.max(top, ...shown);
  const bars = shown.map((value) => {
    if (highest <= 0) return BARS[0];
    const step = Math.round((Math.max(0, value) / highest) * (BARS.length - 1));
    return BARS[Math.min(step, BARS.length - 1)];
  });
  return bars.join('').padStart(width);
}
