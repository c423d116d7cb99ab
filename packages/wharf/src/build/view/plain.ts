import type { Change, Part, Step } from '../model.ts';
import { byteSize } from './text.ts';
import type { View, ViewOptions } from './view.ts';

/** How long another step's news may wait for the one that is being printed. */
const PATIENCE_MS = 1000;
/** How often a part's progress is printed. */
const PART_EVERY_MS = 1000;

interface Printed {
  readonly number: number;
  readonly step: Step;
  /** Lines that are still to be printed. */
  readonly waiting: string[];
  waitingSince: number | undefined;
  /** Output after the last line break. */
  rest: string;
  isOver: boolean;
  readonly partsAt: Map<string, number>;
}

/**
 * The build as lines that are never taken back, `#5 0.31 text`: the format of buildx's plain view. Lines of one step stand together as far
 * as they can; a step that goes on is left (`#5 ...`) when others have waited for long.
 */
export class PlainView implements View {
  readonly #options: ViewOptions;
  readonly #now: () => number;
  readonly #printed = new Map<string, Printed>();
  #current: Printed | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ViewOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  update(changes: readonly Change[]): void {
    for (const change of changes) this.#note(change);
    this.#flush(false);
  }

  finish(): void {
    clearTimeout(this.#timer);
    for (const each of this.#printed.values()) this.#rest(each);
    this.#flush(true);
  }

  #note(change: Change): void {
    const printed = this.#of(change.step);
    switch (change.kind) {
      case 'started':
        this.#add(printed);
        break;
      case 'output':
        this.#output(printed, change.atMs, change.data);
        break;
      case 'part':
        this.#part(printed, change.part);
        break;
      case 'completed':
        this.#completed(printed);
        break;
    }
  }

  #of(step: Step): Printed {
    let printed = this.#printed.get(step.digest);
    if (printed === undefined) {
      const number = this.#printed.size + 1;
      printed = { number, step, waiting: [], waitingSince: undefined, rest: '', isOver: false, partsAt: new Map() };
      this.#printed.set(step.digest, printed);
    }
    return printed;
  }

  #add(printed: Printed, ...lines: readonly string[]): void {
    printed.waitingSince ??= this.#now();
    printed.waiting.push(...lines.map((line) => `#${printed.number} ${line}`));
  }

  #output(printed: Printed, atMs: number, data: Buffer): void {
    const lines = (printed.rest + data.toString('utf8')).split('\n');
    printed.rest = lines.pop() ?? '';
    this.#add(printed, ...lines.map((line) => `${(atMs / 1000).toFixed(3)} ${line.replace(/\r$/, '')}`));
  }

  #rest(printed: Printed): void {
    if (printed.rest === '') return;
    const { startedAt, completedAt } = printed.step;
    const seconds = startedAt === undefined || completedAt === undefined ? 0 : (completedAt - startedAt) / 1000;
    this.#add(printed, `${seconds.toFixed(3)} ${printed.rest}`);
    printed.rest = '';
  }

  #part(printed: Printed, part: Part): void {
    // BuildKit tells of some parts when their step has ended.
    if (printed.isOver) return;
    const last = printed.partsAt.get(part.id);
    const isDone = part.completedAt !== undefined;
    if (!isDone && last !== undefined && this.#now() - last < PART_EVERY_MS) return;
    if (last === Number.POSITIVE_INFINITY) return;
    printed.partsAt.set(part.id, isDone ? Number.POSITIVE_INFINITY : this.#now());
    this.#add(printed, partText(part, printed.step));
  }

  #completed(printed: Printed): void {
    const { step } = printed;
    this.#rest(printed);
    if (this.#options.explain && step.explanation !== '') this.#add(printed, `why: ${step.explanation}`);
    const ms = (step.completedAt ?? 0) - (step.startedAt ?? step.completedAt ?? 0);
    const isCancelled = /context canceled/.test(step.error);
    if (isCancelled) this.#add(printed, 'CANCELED');
    else if (step.error !== '') this.#add(printed, `ERROR: ${step.error}`);
    else if (step.cached) this.#add(printed, 'CACHED');
    else this.#add(printed, `DONE ${(ms / 1000).toFixed(1)}s`);
    printed.isOver = true;
  }

  /** Prints what may be printed now; at the end everything. */
  #flush(everything: boolean): void {
    clearTimeout(this.#timer);
    for (;;) {
      if (this.#current !== undefined) {
        this.#print(this.#current);
        if (!this.#current.isOver && !this.#shouldLeave(everything)) break;
        this.#leave(this.#current);
      }
      const next = this.#next();
      if (next === undefined) break;
      this.#current = next;
      this.#options.write(`#${next.number} ${next.step.name}\n`);
    }
    const [oldest] = this.#others();
    if (oldest === undefined) return;
    const left = PATIENCE_MS - (this.#now() - (oldest.waitingSince ?? 0));
    this.#timer = setTimeout(() => this.#flush(false), Math.max(1, left));
    this.#timer.unref();
  }

  #print(printed: Printed): void {
    if (printed.waiting.length > 0) this.#options.write(`${printed.waiting.join('\n')}\n`);
    printed.waiting.length = 0;
    printed.waitingSince = undefined;
  }

  #leave(printed: Printed): void {
    this.#options.write(printed.isOver ? '\n' : `#${printed.number} ...\n\n`);
    this.#current = undefined;
  }

  #shouldLeave(everything: boolean): boolean {
    const [oldest] = this.#others();
    if (oldest === undefined) return false;
    return everything || this.#now() - (oldest.waitingSince ?? 0) >= PATIENCE_MS;
  }

  /** Steps with news, those that are over first, then by how long they wait. */
  #others(): readonly Printed[] {
    return [...this.#printed.values()]
      .filter((each) => each !== this.#current && each.waitingSince !== undefined)
      .sort((left, right) => (left.waitingSince ?? 0) - (right.waitingSince ?? 0) || left.number - right.number);
  }

  #next(): Printed | undefined {
    const others = this.#others();
    return others.find(({ isOver }) => isOver) ?? others[0];
  }
}

function partText({ id, current, total, startedAt, completedAt }: Part, step: Step): string {
  const size = total > 0 ? ` ${byteSize(current)} / ${byteSize(total)}` : current > 0 ? ` ${byteSize(current)}` : '';
  const begin = startedAt ?? step.startedAt;
  const seconds =
    begin === undefined || completedAt === undefined ? '' : ` ${((completedAt - begin) / 1000).toFixed(1)}s`;
  return `${id}${size}${completedAt === undefined ? '' : `${seconds} done`}`;
}
