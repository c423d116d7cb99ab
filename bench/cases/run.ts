import { BUSYBOX } from '../../e2e/lib/images.ts';
import { type Case, timed } from '../lib/case.ts';

function runCase(options: {
  readonly name: string;
  readonly title: string;
  readonly maxRatio: number;
  readonly args: readonly string[];
}): Case {
  return {
    name: options.name,
    metrics: [{ name: options.name, title: options.title, unit: 'ms', maxRatio: options.maxRatio }],
    rounds: ({ quick }) => (quick ? 5 : 30),
    async round(contestant) {
      return {
        [options.name]: await timed(() => contestant.docker(['run', '--rm', ...options.args, BUSYBOX, 'true'])),
      };
    },
  };
}

export const runBridge = runCase({
  name: 'run-bridge',
  title: '`run --rm` of a no-op, default bridge',
  maxRatio: 0.2,
  args: [],
});
export const runNone = runCase({
  name: 'run-none',
  title: '`run --rm --network none`',
  maxRatio: 0.25,
  args: ['--network', 'none'],
});

const EXEC_NAME = 'bench-exec';

export const exec: Case = {
  name: 'exec',
  metrics: [{ name: 'exec', title: '`exec` of a no-op', unit: 'ms', maxRatio: 0.5 }],
  rounds: ({ quick }) => (quick ? 5 : 30),
  async prepare(contestant) {
    await contestant.docker(['run', '-d', '--name', EXEC_NAME, BUSYBOX, 'sleep', '1000000']);
  },
  async round(contestant) {
    return { exec: await timed(() => contestant.docker(['exec', EXEC_NAME, 'true'])) };
  },
  async cleanUp(contestant) {
    await contestant.docker(['rm', '-f', EXEC_NAME]);
  },
};
