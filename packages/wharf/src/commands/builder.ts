import { anyArguments, defineCommand } from '../cli/command.ts';
import type { Endpoint } from '../endpoint.ts';
import { builderCache } from './builder-cache.ts';
import { builderDu } from './builder-du.ts';
import { builderPrune } from './builder-prune.ts';
import { UsageError } from './flag-table.ts';

const USAGE_STATUS = 125;

const HELP = `Usage:  wharf builder COMMAND

Look after the build cache

Commands:
  cache ls              List the cache mounts (RUN --mount=type=cache) by name
  cache export NAME     Write a cache mount's content to standard output, as an archive
  cache import NAME     Replace a cache mount's content by an archive from standard input
  du                    What the build cache takes
  prune                 Remove build cache

Examples:
  wharf builder cache export npm >npm.tar
  ssh other wharf builder cache import npm <npm.tar
  wharf builder prune --filter until=24h`;

/** `wharf builder du | prune | cache …`. */
const verbCommand = (verb: string) =>
  defineCommand({
    usage: '',
    flags: {},
    args: anyArguments,
    raw: true,
    run: (context) => builder([verb, ...context.args], context.json, () => context.endpoint()),
  });

export const du = verbCommand('du');
export const prune = verbCommand('prune');
export const cache = verbCommand('cache');

async function builder(line: readonly string[], json: boolean, endpoint: () => Endpoint): Promise<number> {
  const [verb, ...rest] = line;
  const commands = { du: builderDu, prune: builderPrune, cache: builderCache };
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
    console.log(HELP);
    return verb === undefined ? 1 : 0;
  }
  const command = Object.hasOwn(commands, verb) ? commands[verb as keyof typeof commands] : undefined;
  if (command === undefined) {
    console.error(`wharf: 'builder ${verb}' is not a wharf command.\nSee 'wharf builder --help'.`);
    return 1;
  }
  try {
    return await command(endpoint(), rest, json);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(
      `${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}\n\nSee 'wharf builder --help'.`,
    );
    return USAGE_STATUS;
  }
}
