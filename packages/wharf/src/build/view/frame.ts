import type { Part, Step } from '../model.ts';
import type { Paint } from './paint.ts';
import { byteSize, duration, fit, pad, plainLine, widthOf } from './text.ts';
import type { Ending } from './view.ts';

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly startedAt: number;
  readonly paint: Paint;
  readonly explain: boolean;
  /** What is built, for the first line. */
  readonly title: string;
  readonly ending?: Ending;
}

/** Lines of output that a running step shows at most. */
const MAX_TAIL = 6;
/** Columns between a step's name and its time. */
const GAP = 2;

/**
 * The picture of a build on a terminal, line by line: how far it is; steps that are over, as far as they fit, cached ones in one line;
 * each running step with its time and the last of its output. Once the build has ended all steps are listed.
 */
export function frame(steps: readonly Step[], options: FrameOptions): readonly string[] {
  const begun = steps.filter(({ startedAt, completedAt }) => startedAt !== undefined || completedAt !== undefined);
  const isOver = (step: Step): boolean => step.completedAt !== undefined;
  const header = headline(begun, options);
  const running = begun.filter((step) => !isOver(step));
  const over = begun.filter(isOver);
  if (options.ending !== undefined) {
    return [
      header,
      ...overLines(over, options, Number.POSITIVE_INFINITY),
      ...running.map((step) => stepLine(step, options)),
    ];
  }
  // The last row stays free: a line break there would scroll the picture away.
  const room = Math.max(1, options.rows - 2);
  const shown = running.slice(-room);
  const forOver = Math.max(
    0,
    Math.min(room - shown.length, Math.max(room - shown.length - tailWish(shown), Math.floor(room / 3))),
  );
  const done = overLines(over, options, forOver);
  const perStep = tails(shown, room - shown.length - done.length);
  const busy = shown.flatMap((step, index) => [
    stepLine(step, options),
    ...tailLines(step, perStep[index] ?? 0, options),
  ]);
  return [header, ...done, ...busy];
}

function headline(steps: readonly Step[], { paint, ending, now, startedAt, title, columns }: FrameOptions): string {
  const count = steps.filter(({ completedAt }) => completedAt !== undefined).length;
  const words = { done: 'FINISHED', failed: 'FAILED', cancelled: 'CANCELLED' } as const;
  const end = ending === undefined ? '' : ` ${words[ending]}`;
  const left = `[+] Building ${duration(now - startedAt)} (${count}/${steps.length})${end}`;
  const right = fit(title, Math.max(0, columns - widthOf(left) - GAP - 1));
  const gap = ' '.repeat(Math.max(right === '' ? 0 : 1, columns - widthOf(left) - widthOf(right) - 1));
  const colour = ending === 'failed' ? paint.bad : paint.strong;
  return `${colour(fit(left, columns - 1))}${paint.faint(right === '' ? '' : gap + right)}`;
}

/** Steps that are over: failed ones and the latest first to be kept, the cached ones folded. */
function overLines(over: readonly Step[], options: FrameOptions, room: number): readonly string[] {
  if (room <= 0) return [];
  const cached = options.explain ? [] : over.filter(({ cached: isCached, error }) => isCached && error === '');
  const others = over.filter((step) => !cached.includes(step));
  const lines = others.flatMap((step) => {
    const line = stepLine(step, options);
    return options.explain && step.explanation !== '' ? [line, explanationLine(step, options)] : [line];
  });
  const folded = cached.length === 0 ? [] : [cachedLine(cached, options)];
  if (folded.length + lines.length <= room) return [...folded, ...lines];
  if (room === 1) return [foldedLine(over.length, options)];
  const kept = lines.slice(-(room - 1));
  return [foldedLine(over.length - kept.length, options), ...kept];
}

function cachedLine(cached: readonly Step[], { paint, columns }: FrameOptions): string {
  const what = cached.length === 1 ? '1 step' : `${cached.length} steps`;
  const names = cached.map(({ name }) => shortName(name)).join(', ');
  return `${paint.good(' ✔')} ${paint.faint(fit(`${what} from the cache: ${names}`, columns - 4))}`;
}

/** `[web 2/5] RUN npm ci` is `web 2/5` in a list. */
function shortName(name: string): string {
  return /^\[([^\]]+)\]/.exec(name)?.[1]?.replace(/\s+/g, ' ') ?? name;
}

function foldedLine(count: number, { paint, columns }: FrameOptions): string {
  return `${paint.good(' ✔')} ${paint.faint(fit(`${count} ${count === 1 ? 'step' : 'steps'} done`, columns - 4))}`;
}

function explanationLine({ explanation }: Step, { paint, columns }: FrameOptions): string {
  return `   ${paint.faint(fit(`└ ${explanation}`, columns - 4))}`;
}

function stepLine(step: Step, options: FrameOptions): string {
  const { paint, columns, now } = options;
  const { name, startedAt, completedAt, error } = step;
  const isCancelled = /context canceled/.test(error) || (completedAt === undefined && options.ending !== undefined);
  const [mark, colour] = isCancelled
    ? [' -', paint.faint]
    : error !== ''
      ? [' ✘', paint.bad]
      : completedAt === undefined
        ? [' ▸', paint.busy]
        : [' ✔', paint.good];
  const time = step.cached ? 'cached' : startedAt === undefined ? '' : duration((completedAt ?? now) - startedAt);
  const parts = partsText(step, now, completedAt !== undefined);
  const room = columns - 4 - widthOf(time) - GAP;
  const detail = parts === '' || room < 24 ? '' : fit(` ${parts}`, Math.floor(room / 2));
  const text = fit(plainLine(name), room - widthOf(detail));
  const gap = pad('', room + GAP - widthOf(text) - widthOf(detail));
  const shown = isCancelled ? paint.faint(text) : error === '' ? text : paint.bad(text);
  return `${colour(mark)} ${shown}${paint.faint(detail)}${gap}${paint.faint(time)}`;
}

/** Sizes and rates of what is transferred. */
function partsText({ parts, startedAt }: Step, now: number, isOver: boolean): string {
  const all = [...parts.values()].filter(({ current, total }) => current > 0 || total > 0);
  if (all.length === 0) return '';
  const current = all.reduce((sum, part) => sum + part.current, 0);
  const total = all.every((part) => part.total > 0) ? all.reduce((sum, part) => sum + part.total, 0) : 0;
  if (isOver) return byteSize(Math.max(current, total));
  const size = total > 0 ? `${byteSize(current)} / ${byteSize(total)}` : byteSize(current);
  const since = Math.min(...all.map((part: Part) => part.startedAt ?? startedAt ?? now));
  const seconds = (now - since) / 1000;
  return seconds < 0.5 ? size : `${size} ${byteSize(Math.round(current / seconds))}/s`;
}

function tailWish(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + Math.min(MAX_TAIL, linesOf(step).length), 0);
}

/** Output with the line that is being written. */
function linesOf({ lines, rest }: Step): readonly string[] {
  const texts = lines.slice(-MAX_TAIL).map(({ text }) => text);
  return plainLine(rest) === '' ? texts : [...texts, rest];
}

/** How many lines of output each running step is given; every one gets a line before one gets two. */
function tails(steps: readonly Step[], room: number): readonly number[] {
  const given = steps.map(() => 0);
  let left = room;
  for (let round = 0; round < MAX_TAIL && left > 0; round += 1) {
    for (const [index, step] of steps.entries()) {
      if (left > 0 && linesOf(step).length > round) {
        given[index] = (given[index] ?? 0) + 1;
        left -= 1;
      }
    }
  }
  return given;
}

function tailLines(step: Step, count: number, { paint, columns }: FrameOptions): readonly string[] {
  if (count <= 0) return [];
  return linesOf(step)
    .slice(-count)
    .map((text) => `   ${paint.faint(`│ ${fit(plainLine(text), columns - 6)}`)}`);
}
