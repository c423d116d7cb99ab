/** What every subcommand of `wharf` is given. */
export interface CommandContext {
  /** The daemon's address. */
  readonly host: string;
  readonly json: boolean;
  readonly arguments: readonly string[];
}

/** A subcommand; returns its exit status. */
export type Command = (context: CommandContext) => Promise<number>;
