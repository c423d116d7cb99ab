import type { LineRange } from './location.ts';

const CONTEXT_LINES = 4;
const RULE = '-'.repeat(20);

/** The lines around a fault, the faulty ones marked, the way buildx shows them. */
export function excerpt(text: string, { start, end }: LineRange, name = 'Dockerfile'): string {
  const lines = text.split('\n');
  const from = Math.max(1, start - CONTEXT_LINES);
  const to = Math.min(lines.length, end + CONTEXT_LINES);
  const width = String(to).length + 2;
  const shown = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index;
    const mark = number >= start && number <= end ? '>>>' : '   ';
    return `${String(number).padStart(width)} | ${mark} ${line.replace(/\r$/, '')}`;
  });
  return [`${name}:${start}`, RULE, ...shown, RULE, ''].join('\n');
}
