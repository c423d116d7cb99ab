import { BUSYBOX } from '../../e2e/lib/images.ts';
import { type Case, type Scale, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';

const NAME = 'bench-storage';
const PLACES = { volume: '/volume', rootfs: '/rootfs' } as const;

/** One big file, to the disk. */
function bigFile(place: string, { quick }: Scale): string {
  return `dd if=/dev/zero of=${place}/big bs=1M count=${quick ? 64 : 512} conv=fsync 2>/dev/null; rm ${place}/big`;
}

/** Many small files made, listed, renamed and removed: work for the filesystem's tree, little for the disk. */
function smallFiles(place: string, { quick }: Scale): string {
  const count = quick ? 1000 : 10_000;
  const each = `i=0; while [ $i -lt ${count} ]; do echo $i > d$((i % 50))/$i; i=$((i + 1)); done`;
  const dirs = 'i=0; while [ $i -lt 50 ]; do mkdir d$i; i=$((i + 1)); done';
  return `mkdir ${place}/s; cd ${place}/s; ${dirs}; ${each}; ls -lR . > /dev/null; mv d0 e0; cd /; rm -r ${place}/s`;
}

async function inside(contestant: Contestant, script: string): Promise<number> {
  return timed(() => contestant.docker(['exec', NAME, 'sh', '-c', script]));
}

/** Writing in a volume and in the root filesystem. */
export const storage: Case = {
  name: 'storage',
  metrics: Object.keys(PLACES).flatMap((place) => [
    { name: `${place}-write`, title: `512 MiB written and synced in the ${place}`, unit: 'ms' as const, maxRatio: 1 },
    { name: `${place}-files`, title: `10,000 small files in the ${place}`, unit: 'ms' as const, maxRatio: 1 },
  ]),
  rounds: ({ quick }) => (quick ? 2 : 5),
  async prepare(contestant) {
    await contestant.docker(['run', '-d', '--name', NAME, '-v', `${NAME}:/volume`, BUSYBOX, 'sleep', '1000000']);
    await contestant.docker(['exec', NAME, 'mkdir', '-p', PLACES.rootfs]);
  },
  async round(contestant, scale) {
    const values: Record<string, number> = {};
    for (const [place, path] of Object.entries(PLACES)) {
      values[`${place}-write`] = await inside(contestant, bigFile(path, scale));
      values[`${place}-files`] = await inside(contestant, smallFiles(path, scale));
    }
    return values;
  },
  async cleanUp(contestant) {
    await contestant.docker(['rm', '-f', '-v', NAME]);
    await contestant.docker(['volume', 'rm', '-f', NAME]);
  },
};
