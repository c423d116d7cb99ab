import type { CliContext } from './context.ts';
import type { Completion, FlagTable } from './flags.ts';

/** How many arguments a command takes. `most` absent: any number. */
export interface ArgumentCount {
  readonly least: number;
  readonly most?: number;
  /** Complained of in the few words of Go's cobra, as docker does where it forgot its own. */
  readonly terse?: true;
}

export const noArguments: ArgumentCount = { least: 0, most: 0 };
export const anyArguments: ArgumentCount = { least: 0 };
export const exactly = (count: number): ArgumentCount => ({ least: count, most: count });
export const atLeast = (least: number): ArgumentCount => ({ least });
export const atMost = (most: number): ArgumentCount => ({ least: 0, most });
export const between = (least: number, most: number): ArgumentCount => ({ least, most });

/** A command once it is loaded. Made by `defineCommand()`. */
export interface Command<T extends FlagTable = FlagTable> {
  /** What follows the command's path in its usage line: `[OPTIONS] CONTAINER [CONTAINER...]`; one for each form. */
  readonly usage: string | readonly string[];
  /** The text of the help, where it is more than the one line in the tree. */
  readonly description?: string;
  readonly flags: T;
  readonly args: ArgumentCount;
  /** Whether flags may follow arguments; `false` for commands that pass the rest of the line on (`run`, `exec`). */
  readonly interspersed?: false;
  /** Lines `wharf …`, with what they do behind a `#`. */
  readonly examples?: readonly string[];
  /** Understands `--json`: `context.json`. */
  readonly json?: true;
  /** Reads its line itself: all of it comes as arguments. */
  readonly raw?: true;
  /** What the shell may offer for arguments: one for each place, the last for all that follow. */
  readonly complete?: readonly Completion[];
  /** Returns the exit status; nothing is 0. */
  run(context: CliContext<T>): Promise<number> | Promise<void>;
}

/** Types `run`'s context by the flags. */
export function defineCommand<const T extends FlagTable>(command: Command<T>): Command {
  // What is read from a line by `flags` has the types that `flags` gives: parse-line.ts.
  return command as unknown as Command;
}

/** A command's place in the tree, with as little as the help of what is above it needs. */
export interface Entry {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line, no full stop. */
  readonly help: string;
  /** Other places of the same command, as paths without the program's name: shown in its help. */
  readonly also?: readonly string[];
  /** Place among the common commands at the top of `wharf --help`. */
  readonly common?: number;
  /** Understood, and left out of the help. */
  readonly hidden?: true;
  readonly load: () => Promise<Command>;
}

/** A noun: commands below one name. */
export interface Group {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly help: string;
  readonly hidden?: true;
  readonly examples?: readonly string[];
  /** Flags that stand between the noun and the verb, and are given to every verb below (`wharf compose -f FILE up`). */
  readonly flags?: FlagTable;
  /** What is wrong with a flag is said without the usage line, and the status is 1: docker compose's way. */
  readonly shortFlagErrors?: true;
  readonly commands: readonly Node[];
}

export type Node = Entry | Group;

export function isGroup(node: Node): node is Group {
  return 'commands' in node;
}
