import { lazily, WharfError } from '@wharf/kit';
import { DockerClient } from '@wharf/wire/docker-client/client';
import type { Command } from '../cli/command.ts';
import { CliContext, type ContextParts } from '../cli/context.ts';
import type { FlagTable } from '../cli/flags.ts';
import { type ParsedLine, parseLine } from '../cli/parse-line.ts';
import { MAX_LISTING_ROWS, MAX_LISTING_WORDS } from '../limits.ts';
import { CapturedOutput } from './captured-output.ts';

const containerModule = lazily(() => import('../commands/container/ls.ts'));
const imageModule = lazily(() => import('../commands/image/ls.ts'));
const inspectModule = lazily(() => import('../commands/system/inspect.ts'));
const networkModule = lazily(() => import('../commands/network/ls.ts'));
const volumeModule = lazily(() => import('../commands/volume/ls.ts'));

const containers = async (): Promise<Command> => (await containerModule()).containerLs;
const images = async (): Promise<Command> => (await imageModule()).imageLs;

/** Commands that only read of the daemon and print it, by their words. */
const LISTINGS: Readonly<Record<string, () => Promise<Command>>> = {
  ps: containers,
  'container ls': containers,
  images,
  'image ls': images,
  inspect: async () => (await inspectModule()).inspect,
  'network ls': async () => (await networkModule()).networkLs,
  'volume ls': async () => (await volumeModule()).volumeLs,
};

/** Flags whose work is bounded by the list. */
const ALLOWED = new Set(['all', 'digests', 'filter', 'format', 'json', 'last', 'latest', 'no-trunc', 'quiet', 'type']);

/** Formats whose work is, too: fields and text. Whole templates are programs of the caller's, which would run in the daemon. */
const PLAIN_FORMAT = /^(?:[^{}]|\{\{ *(?:json +)?\.[A-Za-z.]* *\}\}){0,200}$/;

const JSON_FLAG = { json: { kind: 'bool', help: '' } } as const satisfies FlagTable;

/** No directory has this name, so none of the daemon's user's own settings change what others see. */
const NO_CONFIG = '/nonexistent';

export interface ListingPlace {
  /** The daemon's own address. */
  readonly host: string | undefined;
  readonly columns: number | undefined;
}

/** What the line prints; `undefined` for one that is no plain listing, or that has something to say on standard error. */
export async function listingText(line: readonly string[], place: ListingPlace): Promise<string | undefined> {
  if (place.host === undefined || line.length > MAX_LISTING_WORDS) return undefined;
  const [one = '', two = '', ...rest] = line;
  const short = Object.hasOwn(LISTINGS, one);
  const names = short ? [one] : [one, two];
  const path = names.join(' ');
  if (!Object.hasOwn(LISTINGS, path)) return undefined;
  const command = await LISTINGS[path]?.();
  return command && run(command, { names, line: short ? line.slice(1) : rest, ...place, host: place.host });
}

interface Listing extends ListingPlace {
  readonly host: string;
  readonly names: readonly string[];
  readonly line: readonly string[];
}

async function run(command: Command, { names, line, host, columns }: Listing): Promise<string | undefined> {
  const out = new CapturedOutput(columns);
  const err = new CapturedOutput(undefined);
  try {
    const parsed = parseLine({ ...command.flags, ...JSON_FLAG }, line, { interspersed: true });
    if (!isPlain(command, parsed)) return undefined;
    const { values, given, positionals: args } = parsed;
    const said = { names: ['wharf', ...names], values, given, args, json: values['json'] === true };
    const context = new ListingContext(host, { ...NOTHING, ...said, out, err });
    const status = (await command.run(context)) ?? 0;
    return status === 0 && err.text === '' ? out.text : undefined;
  } catch {
    // The command meets the same in the caller's own process, and says it there.
    return undefined;
  }
}

function isPlain({ args: { least, most = MAX_LISTING_WORDS } }: Command, line: ParsedLine): boolean {
  const { values, given, positionals, help, warnings } = line;
  const { format = '' } = values as { readonly format?: string };
  if (help || warnings.length > 0 || positionals.length < least || positionals.length > most) return false;
  // A daemon with a time zone of its own would show its times.
  if (process.env['TZ'] !== undefined && (given.has('format') || given.has('json'))) return false;
  return [...given].every((flag) => ALLOWED.has(flag)) && PLAIN_FORMAT.test(format);
}

const NOTHING = {
  beforeDash: undefined,
  groupValues: {},
  groupGiven: new Set<string>(),
} as const satisfies Partial<ContextParts>;

/** A command's context inside of the daemon: nothing of the daemon's own environment is the caller's. */
class ListingContext extends CliContext {
  readonly #host: string;

  constructor(host: string, parts: Omit<ContextParts, 'globals'>) {
    // No listing asks for the global flags: what they would change is answered here.
    super({ ...parts, globals: undefined as never });
    this.#host = host;
  }

  override get configDirectory(): string {
    return NO_CONFIG;
  }

  override client(): Promise<DockerClient> {
    return Promise.resolve(new BoundedClient({ endpoint: { host: this.#host } }));
  }
}

/** Refuses lists that would keep the daemon from other work: their command has a processor of its own for them. */
class BoundedClient extends DockerClient {
  override async json<T>(...call: Parameters<DockerClient['json']>): Promise<T> {
    const answer = await super.json<T>(...call);
    if (!Array.isArray(answer) || answer.length <= MAX_LISTING_ROWS) return answer;
    throw new WharfError(
      'resource-exhausted',
      `Cannot print ${answer.length} rows for a client: ${MAX_LISTING_ROWS} is the limit`,
    );
  }
}
