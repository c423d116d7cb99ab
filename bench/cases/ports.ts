import { BUSYBOX } from '../../e2e/lib/images.ts';
import { type Case, timed } from '../lib/case.ts';

const MEBIBYTE = 1024 * 1024;
const BASE = 20_000;
const ONE = 'bench-ports-one';
const RANGE = 'bench-ports-range';

/** What publishing adds to a start, for one port and for a thousand that follow each other. */
export const ports: Case = {
  name: 'ports',
  metrics: [
    { name: 'one', title: '`start` of a container with 1 published port', unit: 'ms', maxRatio: 1 },
    { name: 'range', title: '`start` of a container with 1,000', unit: 'ms', maxRatio: 1 },
    { name: 'memory', title: 'memory that 999 more published ports take (PSS)', unit: 'MiB', maxValue: 2 },
  ],
  // dockerd takes most of a minute for the thousand.
  rounds: () => 1,
  async prepare(contestant) {
    const command = [BUSYBOX, 'sleep', '1000000'];
    await contestant.docker(['create', '--name', ONE, '-p', `${BASE - 1}:80`, ...command]);
    const range = `${BASE}-${BASE + 999}`;
    await contestant.docker(['create', '--name', RANGE, '-p', `${range}:${range}`, ...command]);
  },
  async round(contestant) {
    const before = contestant.pssBytes();
    const one = await timed(() => contestant.docker(['start', ONE]));
    const between = contestant.pssBytes();
    const range = await timed(() => contestant.docker(['start', RANGE]));
    // What any container takes is in both.
    const memory = (contestant.pssBytes() - between - (between - before)) / MEBIBYTE;
    await contestant.docker(['stop', '-t', '0', ONE, RANGE]);
    return { one, range, memory };
  },
  async cleanUp(contestant) {
    await contestant.docker(['rm', '-f', ONE, RANGE]);
  },
};
