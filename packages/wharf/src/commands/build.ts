import { BUILD_EXAMPLES, BUILD_FLAGS } from '../build/build-flags.ts';
import { anyArguments, defineCommand } from '../cli/command.ts';
import type { Endpoint } from '../endpoint.ts';
import { flagHelp, parseFlags, UsageError } from './flag-table.ts';

const USAGE = 'Usage:  wharf build [OPTIONS] PATH | URL | -';
/** As docker's, for a line that cannot be read. */
const USAGE_STATUS = 125;

/** `wharf build`: an image from a Dockerfile. */
export const build = defineCommand({
  usage: '[OPTIONS] PATH | URL | -',
  flags: {},
  args: anyArguments,
  raw: true,
  run: (context) => runLine(context.args, context.json, () => context.endpoint()),
});

async function runLine(line: readonly string[], json: boolean, endpoint: () => Endpoint): Promise<number> {
  try {
    const { values, positionals, help } = parseFlags(BUILD_FLAGS, line);
    if (help) {
      console.log(helpText());
      return 0;
    }
    const [context, ...more] = positionals;
    if (context === undefined || more.length > 0) {
      console.error(
        `ERROR: 'wharf build' requires 1 argument\n\n${USAGE}\n\nRun 'wharf build --help' for more information`,
      );
      return 1;
    }
    const { runBuild } = await import('../build/run-build.ts');
    return await runBuild(endpoint(), json ? { ...values, json: true } : values, context);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const isFlag = /^(unknown|flag needs|invalid argument)/.test(error.message);
    const hint = error.hint === undefined ? '' : `\n${error.hint}`;
    if (!isFlag) console.error(`ERROR: ${error.message}${hint}`);
    else console.error(`${error.message}${hint}\n\n${USAGE}\n\nRun 'wharf build --help' for more information`);
    return isFlag ? USAGE_STATUS : 1;
  }
}

function helpText(): string {
  return [
    USAGE,
    '',
    'Build an image from a Dockerfile',
    '',
    BUILD_EXAMPLES,
    '',
    'Options:',
    ...flagHelp(BUILD_FLAGS),
    '',
    'The daemon is found by -H, WHARF_HOST, DOCKER_HOST, the context of the docker client, or its usual sockets.',
  ].join('\n');
}
