import type { ArgDefinition } from '../dockerfile/instructions/types.ts';
import type { LineRange } from '../dockerfile/location.ts';

/** An argument as it stands at the end of a stage. */
export interface ArgNote extends Omit<ArgDefinition, 'value'> {
  readonly value: string;
  readonly location: LineRange;
  /** Others that its value is made of. */
  readonly needs: ReadonlySet<string>;
}

/** A secret or an agent that a step asks for. */
export interface RequestNote {
  readonly required: boolean;
  readonly location: LineRange;
}

/** What a stage takes from outside: noted while it is evaluated, told by an outline. */
export class StageNotes {
  readonly #args: Map<string, ArgNote>;
  readonly #used: Set<string>;
  readonly secrets = new Map<string, RequestNote>();
  readonly ssh = new Map<string, RequestNote>();

  constructor(globals: ReadonlyMap<string, ArgNote>, used: ReadonlySet<string>) {
    this.#args = new Map(globals);
    this.#used = new Set(used);
  }

  /** @param note absent when the argument is that of the whole file */
  arg(name: string, note: ArgNote | undefined): void {
    this.#used.add(name);
    if (note !== undefined) this.#args.set(name, note);
  }

  request(kind: 'secrets' | 'ssh', id: string, note: RequestNote): void {
    if (!this[kind].has(id)) this[kind].set(id, note);
  }

  /** The arguments that the stage uses, and those that these are made of. */
  get args(): ReadonlyMap<string, ArgNote> {
    const found = new Map<string, ArgNote>();
    const add = (name: string): void => {
      const note = this.#args.get(name);
      if (note === undefined || found.has(name)) return;
      found.set(name, note);
      for (const each of note.needs) add(each);
    };
    for (const name of this.#used) add(name);
    return found;
  }
}
