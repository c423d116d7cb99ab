import { paints } from '../../../build/view/paint.ts';
import { byteSize, duration, fit, pad, widthOf } from '../../../build/view/text.ts';
import type { Task } from './board.ts';

export interface FrameOptions {
  /** `Running`, `Pulling`: the headline's word. */
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly now: number;
  readonly startedAt: number;
  readonly coloured: boolean;
  readonly isOver: boolean;
  readonly dryRun: boolean;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;
/** How full a part of a transfer is, in one character. */
const LEVELS = '⠀⡀⣀⣄⣤⣦⣶⣷⣿';
/** Parts of one transfer that are drawn at most. */
const MAX_LEVELS = 24;
const GAP = 2;

/**
 * The picture of a command's work, line by line: how much of it is done and how long it took, then each piece with its own time. Pieces
 * that are over make room for those that go on where the terminal is too low; parts of a piece stand in its line as one character each.
 */
export function frame(tasks: readonly Task[], options: FrameOptions): readonly string[] {
  const roots = tasks.filter((task) => task.parentId === '' || !tasks.some(({ id }) => id === task.parentId));
  if (roots.length === 0) return [];
  const idWidth = Math.min(Math.max(...roots.map((task) => widthOf(nameOf(task)))), Math.floor(options.columns / 2));
  // The last row stays free: a line break there would scroll the picture away.
  const room = options.isOver ? Number.POSITIVE_INFINITY : Math.max(1, options.rows - 2);
  const shown = choose(roots, room);
  const lines = shown.map((task) => {
    const parts = tasks.filter(({ parentId }) => parentId === task.id);
    return taskLine(task, parts, idWidth, options);
  });
  const folded = roots.length - shown.length;
  return [headline(roots, options), ...(folded > 0 ? [foldedLine(folded, options)] : []), ...lines];
}

/** Those that fit: what goes on or went wrong before what is done. */
function choose(roots: readonly Task[], room: number): readonly Task[] {
  if (roots.length <= room) return roots;
  const wanted = roots.filter(({ status }) => status !== 'done').slice(-(room - 1));
  const rest = room - 1 - wanted.length;
  const done = rest > 0 ? roots.filter(({ status }) => status === 'done').slice(-rest) : [];
  return roots.filter((task) => wanted.includes(task) || done.includes(task));
}

function headline(roots: readonly Task[], { title, now, startedAt, coloured, columns, dryRun }: FrameOptions): string {
  const over = roots.filter(({ status }) => status !== 'working').length;
  const paint = paints(coloured);
  const mark = dryRun ? 'DRY RUN ' : '';
  const left = `[+] ${mark}${title} ${over}/${roots.length}`;
  const time = duration(now - startedAt);
  const gap = ' '.repeat(Math.max(1, columns - widthOf(left) - widthOf(time) - 1));
  return `${paint.strong(left)}${gap}${paint.faint(time)}`;
}

function foldedLine(count: number, { coloured, columns }: FrameOptions): string {
  const paint = paints(coloured);
  return ` ${paint.good('✔')} ${paint.faint(fit(`${count} more`, columns - 4))}`;
}

function nameOf({ id, text }: Task): string {
  return text === '' ? id : `${id} ${text}`;
}

function taskLine(task: Task, parts: readonly Task[], idWidth: number, options: FrameOptions): string {
  const { columns, now, coloured } = options;
  const paint = paints(coloured);
  const [mark, colour] = {
    working: [SPINNER[Math.floor(now / SPIN_MS) % SPINNER.length] ?? '', paint.busy] as const,
    done: ['✔', paint.good] as const,
    warning: ['!', paint.busy] as const,
    error: ['✘', paint.bad] as const,
  }[task.status];
  const time = duration((task.endedAt ?? now) - task.startedAt);
  const name = pad(fit(nameOf(task), idWidth), idWidth);
  const room = Math.max(0, columns - 3 - idWidth - GAP - widthOf(time) - GAP);
  const words = fit([transfer(task, parts), task.statusText.split('\n')[0] ?? ''].filter(Boolean).join(' '), room);
  const status = task.status === 'working' ? words : colour(words);
  const gap = ' '.repeat(Math.max(0, room - widthOf(words)) + GAP);
  return ` ${colour(mark)} ${name} ${status}${gap}${paint.faint(time)}`;
}

/** `[⣿⣿⡀⠀] 3.1MB / 20MB` of what comes in parts. */
function transfer(task: Task, parts: readonly Task[]): string {
  if (parts.length === 0 || task.status !== 'working') return '';
  const levels = parts
    .slice(0, MAX_LEVELS)
    .map(({ percent }) => LEVELS[Math.floor(((LEVELS.length - 1) * Math.min(100, percent)) / 100)])
    .join('');
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  const isKnown = total > 0 && parts.every((part) => part.status !== 'working' || part.total > 0);
  if (!isKnown) return `[${levels}]`;
  const current = parts.reduce((sum, part) => sum + part.current, 0);
  return `[${levels}] ${byteSize(current)} / ${byteSize(total)}`;
}
