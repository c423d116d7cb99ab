import { BUILD_EXAMPLES, BUILD_FLAGS } from '../../build/build-flags.ts';
import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError, FlagError, UsageError } from '../../cli/errors.ts';

/** `wharf build`: an image from a Dockerfile. */
export const build = defineCommand({
  usage: '[OPTIONS] PATH | URL | -',
  flags: BUILD_FLAGS,
  args: exactly(1),
  examples: BUILD_EXAMPLES,
  json: true,
  complete: ['directory'],
  async run(context) {
    const {
      flags,
      json,
      args: [place = ''],
    } = context;
    const { runBuild } = await import('../../build/run-build.ts');
    try {
      return await runBuild(await context.client(), { ...flags, json }, place);
    } catch (error) {
      if (!(error instanceof UsageError) || error instanceof FlagError) throw error;
      throw new ExitError(1, `ERROR: ${error.message}`, error.hint);
    }
  },
});
