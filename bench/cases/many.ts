import { BUSYBOX } from '../../e2e/lib/images.ts';
import { type Case, pooled, timed } from '../lib/case.ts';

const AT_A_TIME = 8;
const MEBIBYTE = 1024 * 1024;

/** Many idle containers: started, listed, weighed, stopped and removed. */
export const many: Case = {
  name: 'many',
  metrics: [
    { name: 'start', title: '200 × `run -d`, 8 at a time', unit: 'ms', maxRatio: 0.25 },
    { name: 'ps', title: '`ps` of these', unit: 'ms', maxRatio: 1 },
    { name: 'memory', title: 'memory per running container (PSS)', unit: 'MiB', maxValue: 2 },
    { name: 'remove', title: '`stop -t 0` and `rm` of all, 8 at a time', unit: 'ms', maxRatio: 0.5 },
  ],
  rounds: () => 1,
  async round(contestant, { quick }) {
    const count = quick ? 40 : 200;
    const names = Array.from({ length: count }, (_, index) => `bench-many-${index}`);
    const before = contestant.pssBytes();
    const start = await timed(() =>
      pooled(
        AT_A_TIME,
        names.map((name) => () => contestant.docker(['run', '-d', '--name', name, BUSYBOX, 'sleep', '1000000'])),
      ),
    );
    const lists: number[] = [];
    for (let index = 0; index < 5; index += 1) lists.push(await timed(() => contestant.docker(['ps', '-q'])));
    const memory = (contestant.pssBytes() - before) / count / MEBIBYTE;
    const remove = await timed(() =>
      pooled(
        AT_A_TIME,
        names.map((name) => async () => {
          await contestant.docker(['stop', '-t', '0', name]);
          await contestant.docker(['rm', name]);
        }),
      ),
    );
    return { start, ps: lists.toSorted((a, b) => a - b)[2] ?? 0, memory, remove };
  },
};
