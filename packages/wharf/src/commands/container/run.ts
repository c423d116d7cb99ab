import { atLeast, defineCommand } from '../../cli/command.ts';
import { runContainer } from '../../containers/run-container.ts';
import { RUN_FLAGS } from '../../containers/run-flags.ts';

export const run = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  interspersed: false,
  flags: RUN_FLAGS,
  args: atLeast(1),
  complete: ['image', 'none'],
  examples: [
    'wharf run -d --name web -p 8080:80 nginx',
    'wharf run --rm -it debian bash      # a shell that leaves nothing behind',
    'wharf run --rm -v "$PWD":/src -w /src node npm test',
  ],
  run: runContainer,
});
