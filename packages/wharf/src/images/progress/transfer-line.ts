import { humanSize } from '../../term/units.ts';
import type { Transfer } from './transfer.ts';

const BAR_COLUMNS = 24;
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of so many columns, in eighths of one. */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, share)) * columns * 8);
  const text = '█'.repeat(Math.floor(eighths / 8)) + (PARTS[eighths % 8] ?? '');
  return text.padEnd(columns, '░');
}

interface Place {
  readonly name: string;
  readonly columns: number;
  readonly nowMs: number;
}

/** The one line of an image under way: name, bar, bytes, speed, layers; what does not fit is left out. */
export function transferLine(transfer: Transfer, { name, columns, nowMs }: Place): string {
  const { current, total } = transfer.bytes;
  const { done, all } = transfer.layers;
  const speed = transfer.bytesPerSecond(nowMs);
  const state = transfer.isUnpacking ? 'unpacking' : total === 0 ? 'asking' : '';
  const parts = [
    total === 0 ? '' : bar(current / total, BAR_COLUMNS),
    total === 0 ? '' : `${humanSize(current, 3)}/${humanSize(total, 3)}`,
    state !== '' ? state : speed > 0 ? `${humanSize(speed, 3)}/s` : '',
    all === 0 ? '' : `${done}/${all} layers`,
  ].filter((part) => part !== '');
  return fit([name, ...parts], columns);
}

/** What remains of it once it is done. */
export function doneLine(transfer: Transfer, { name, columns, nowMs }: Place): string {
  const { total } = transfer.bytes;
  const { all } = transfer.layers;
  const seconds = transfer.seconds(nowMs);
  const parts = [
    total === 0 ? 'up to date' : humanSize(total, 3),
    all === 0 ? '' : `${all} ${all === 1 ? 'layer' : 'layers'}`,
    `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`,
  ].filter((part) => part !== '');
  return fit([`✔ ${name}`, ...parts], columns);
}

/** Parts in two blanks' distance; the last ones go where there is no room, and the name is cut at the very end. */
function fit(parts: readonly string[], columns: number): string {
  for (let count = parts.length; count > 1; count -= 1) {
    const text = parts.slice(0, count).join('  ');
    if (text.length < columns) return text;
  }
  return (parts[0] ?? '').slice(0, Math.max(1, columns - 1));
}
