/** What every subcommand of `wharf` is given. */
export interface CommandContext {
  /** The daemon's address. */
  readonly host: string;
  /** What `--host` said. */
  readonly given: string | undefined;
  readonly json: boolean;
  readonly arguments: readonly string[];
}

/** A subcommand; returns its exit status. */
export type Command = (context: CommandContext) => Promise<number>;
