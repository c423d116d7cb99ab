import { WharfError } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { clientConfigDirectory } from '@wharf/wire/docker-client/config-directory';
import { type Endpoint, type EndpointChoice, findEndpoint } from '@wharf/wire/docker-client/endpoint';
import { absentValue } from './flag-value.ts';
import type { FlagTable, FlagValues } from './flags.ts';
import { endpointChoice, type Globals } from './global-flags.ts';
import type { Output } from './output.ts';
import { requestHeaders } from './settings.ts';
import { abortOnSignals } from './signals.ts';

export interface ContextParts {
  readonly names: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
  readonly beforeDash: number | undefined;
  readonly groupValues: Readonly<Record<string, unknown>>;
  readonly groupGiven: ReadonlySet<string>;
  readonly globals: Globals;
  readonly json: boolean;
  readonly out: Output;
  readonly err: Output;
}

/** What a command runs with. Everything that costs something is made when it is asked for. */
export class CliContext<T extends FlagTable = FlagTable> {
  /** The command's flags, each with its default. */
  readonly flags: FlagValues<T>;
  readonly args: readonly string[];
  /** How many of the arguments stood before `--`; `undefined` without one. */
  readonly beforeDash: number | undefined;
  /** `--json` was said, and the command declares that it understands it. */
  readonly json: boolean;
  readonly out: Output;
  readonly err: Output;
  /** The program's name as messages have it: `wharf`, or `docker` when it was called by a link of that name. */
  readonly program: string;
  /** The command as it was called: `wharf container ls`. */
  readonly commandPath: string;
  readonly globals: Globals;
  readonly #parts: ContextParts;
  #client: Promise<DockerClient> | undefined;
  #signal: AbortSignal | undefined;

  constructor(parts: ContextParts) {
    this.#parts = parts;
    this.flags = parts.values as FlagValues<T>;
    this.args = parts.args;
    this.beforeDash = parts.beforeDash;
    this.json = parts.json;
    this.out = parts.out;
    this.err = parts.err;
    this.program = parts.names[0] ?? 'wharf';
    this.commandPath = parts.names.join(' ');
    this.globals = parts.globals;
  }

  /** Whether the flag was on the line, default or not. */
  given(flag: keyof T & string): boolean {
    return this.#parts.given.has(flag);
  }

  /** The flags of the group above the command (`wharf compose -f FILE …`), typed by the caller's table. */
  groupFlags<G extends FlagTable>(_table: G): FlagValues<G> {
    return this.#parts.groupValues as FlagValues<G>;
  }

  groupGiven(flag: string): boolean {
    return this.#parts.groupGiven.has(flag);
  }

  /** What the line says of the daemon's address, for code that finds it by itself. */
  get endpointChoice(): EndpointChoice {
    return endpointChoice(this.globals);
  }

  /** The daemon's address. Throws `invalid-argument` and `not-found`. */
  endpoint(): Endpoint {
    try {
      return findEndpoint(this.endpointChoice);
    } catch (error) {
      if (!(error instanceof WharfError)) throw error;
      const { kind, message, hint } = error;
      const text = `Failed to initialize: unable to resolve docker endpoint: ${message}`;
      throw new WharfError(kind, text, { cause: error, ...(hint === undefined ? {} : { hint }) });
    }
  }

  /** The one client of this run. */
  client(): Promise<DockerClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** The context of another command that this one ends in: its flags, those given and the defaults of the others, and its arguments. */
  as<F extends FlagTable>(table: F, given: Partial<FlagValues<F>>, args: readonly string[]): CliContext<F> {
    const defaults = Object.entries(table).map(([name, flag]) => [name, absentValue(flag)]);
    const values = { ...Object.fromEntries(defaults), ...given };
    const next = new CliContext<F>({
      ...this.#parts,
      values,
      given: new Set(Object.keys(given)),
      args,
      beforeDash: undefined,
    });
    next.#client = this.client();
    next.#signal = this.#signal;
    return next;
  }

  /** Where config.json and the contexts are. */
  get configDirectory(): string {
    return clientConfigDirectory();
  }

  /** Aborts at ctrl-C and SIGTERM; who takes it must end soon after. The status is then 128 and the signal's number. */
  get signal(): AbortSignal {
    this.#signal ??= abortOnSignals();
    return this.#signal;
  }

  async #connect(): Promise<DockerClient> {
    const { DockerClient: Client } = await import('@wharf/wire/docker-client/client');
    return new Client({
      endpoint: this.endpoint(),
      apiVersion: process.env['DOCKER_API_VERSION'] || undefined,
      headers: requestHeaders(this.configDirectory),
    });
  }
}
