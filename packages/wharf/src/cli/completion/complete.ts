import { type Command, type Group, isGroup } from '../command.ts';
import { findCommand } from '../find-command.ts';
import { bareValue } from '../flag-value.ts';
import type { Completion, Flag, FlagTable } from '../flags.ts';
import { GLOBAL_FLAGS } from '../global-flags.ts';
import { parseLine } from '../parse-line.ts';

/** One thing the shell may offer. */
export interface Candidate {
  readonly value: string;
  readonly help?: string;
}

/** What fits the last word of a line; `files` leaves it to the shell. */
export interface Offer {
  readonly candidates: readonly Candidate[];
  readonly files?: 'file' | 'directory';
}

/** Where names come from that only the daemon, or a file, knows. */
export type NameSource = (kind: string, place: NamePlace) => Promise<readonly Candidate[]>;

export interface NamePlace {
  /** The global flags of the line so far. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** The flags of the group so far (`compose -f FILE`). */
  readonly groupLine: readonly string[];
}

const NOTHING: Offer = { candidates: [] };

/** What may stand where the cursor is: the last of `words`, which follow the program's name. */
export async function complete(root: Group, words: readonly string[], names: NameSource): Promise<Offer> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const globals = readLoosely(GLOBAL_FLAGS, before, false);
  const offer = new Offering(current, names, globals?.values ?? {});
  if (globals === undefined || globals.positionals.length === 0) {
    return offer.word(GLOBAL_FLAGS, before, () => offer.children(root));
  }
  const line = globals.positionals[0] === 'help' ? globals.positionals.slice(1) : globals.positionals;
  const { node, rest, groupLines } = findCommand(root, 'wharf', line);
  offer.groupLine = groupLines.flatMap((each) => each.line);
  if (isGroup(node)) {
    return offer.word(node.flags ?? {}, rest, () => (hasWord(node, rest) ? NOTHING : offer.children(node)));
  }
  const command = await node.load();
  if (command.raw === true) return NOTHING;
  const table: FlagTable =
    command.json === true ? { ...command.flags, json: { kind: 'bool', help: 'Answer in JSON' } } : command.flags;
  return offer.word(table, rest, () => offer.argument(command, rest));
}

class Offering {
  groupLine: readonly string[] = [];
  readonly #current: string;
  readonly #names: NameSource;
  readonly #globals: Readonly<Record<string, unknown>>;

  constructor(current: string, names: NameSource, globals: Readonly<Record<string, unknown>>) {
    this.#current = current;
    this.#names = names;
    this.#globals = globals;
  }

  /** A flag, a flag's value, or what `otherwise` has. */
  async word(table: FlagTable, before: readonly string[], otherwise: () => Offer | Promise<Offer>): Promise<Offer> {
    const current = this.#current;
    if (before.includes('--')) return otherwise();
    const waiting = flagThatWaits(table, before.at(-1));
    if (waiting !== undefined) return this.#values(waiting.complete, '');
    const equals = current.indexOf('=');
    if (current.startsWith('--') && equals > 0) {
      const flag = Object.hasOwn(table, current.slice(2, equals)) ? table[current.slice(2, equals)] : undefined;
      return flag === undefined ? NOTHING : this.#values(flag.complete, current.slice(0, equals + 1));
    }
    return current.startsWith('-') ? this.#flags(table) : otherwise();
  }

  children(group: Group): Offer {
    const shown = group.commands.filter(({ hidden }) => hidden !== true);
    return this.#fitting(shown.map(({ name, help }) => ({ value: name, help })));
  }

  /** The argument whose turn it is. */
  async argument({ complete = [], flags, interspersed }: Command, before: readonly string[]): Promise<Offer> {
    const parsed = readLoosely(flags, before, interspersed !== false);
    const at = parsed?.positionals.length ?? 0;
    return this.#values(complete[Math.min(at, complete.length - 1)], '');
  }

  #flags(table: FlagTable): Offer {
    const shown = Object.entries(table).filter(
      ([, { hidden, deprecated }]) => hidden === undefined && deprecated === undefined,
    );
    const long = shown.map(([name, { help }]) => ({ value: `--${name}`, help: firstLine(help) }));
    return this.#fitting([...long, { value: '--help', help: 'Print usage' }]);
  }

  async #values(what: Completion | undefined, prefix: string): Promise<Offer> {
    if (what === undefined || what === 'none') return NOTHING;
    if (what === 'file' || what === 'directory') return prefix === '' ? { candidates: [], files: what } : NOTHING;
    const place = { globals: this.#globals, groupLine: this.groupLine };
    const found = typeof what === 'string' ? await this.#names(what, place) : what.map((value) => ({ value }));
    return this.#fitting(found.map((each) => ({ ...each, value: prefix + each.value })));
  }

  #fitting(candidates: readonly Candidate[]): Offer {
    return { candidates: candidates.filter(({ value }) => value.startsWith(this.#current)) };
  }
}

function hasWord(group: Group, line: readonly string[]): boolean {
  return (readLoosely(group.flags ?? {}, line, true)?.positionals.length ?? 0) > 0;
}

/** A line that is not finished may make no sense yet. */
function readLoosely(table: FlagTable, line: readonly string[], interspersed: boolean) {
  try {
    return parseLine(table, line, { interspersed });
  } catch {
    return undefined;
  }
}

function flagThatWaits(table: FlagTable, word: string | undefined): Flag | undefined {
  if (word === undefined || !/^-./.test(word) || word.includes('=')) return undefined;
  const flag = word.startsWith('--')
    ? table[word.slice(2)]
    : Object.values(table).find(({ short }) => short === word.at(-1));
  return flag !== undefined && bareValue(flag) === undefined ? flag : undefined;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
