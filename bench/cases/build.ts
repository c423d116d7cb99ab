import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEnvironment } from '../../e2e/lib/docker.ts';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { buildxPlugin } from '../../e2e/lib/plugins.ts';
import { must } from '../../scripts/lib/run.ts';
import { type Case, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';
import { scratch } from '../lib/scratch.ts';

const FILES = 2000;
const FILE_BYTES = 100_000;
const WRITE = ['dd', 'if=/dev/zero', 'of=/big', 'bs=1M', 'count=500'];

const tiny = Array.from({ length: 30 }, (_, index) => `RUN echo ${index}`).join('\n');
const stages = Array.from(
  { length: 8 },
  (_, index) => `FROM ${BUSYBOX} AS s${index}\nRUN sleep 1; echo ${index} >/${index}`,
);
const gather = Array.from({ length: 8 }, (_, index) => `COPY --from=s${index} /${index} /`);

const DOCKERFILES: Readonly<Record<string, string>> = {
  one: `FROM ${BUSYBOX}\nRUN true\n`,
  thirty: `FROM ${BUSYBOX}\n${tiny}\n`,
  stages: `${stages.join('\n')}\nFROM ${BUSYBOX}\n${gather.join('\n')}\n`,
  copy: `FROM ${BUSYBOX}\nCOPY . /data\n`,
  write: `FROM ${BUSYBOX}\nRUN ${WRITE.join(' ')}\n`,
};

/** A folder for each build; the one that copies has 200 MB in 2,000 files. */
function contexts(): string {
  const root = join(scratch(), 'build');
  for (const [name, text] of Object.entries(DOCKERFILES)) {
    mkdirSync(join(root, name, 'files'), { recursive: true });
    writeFileSync(join(root, name, 'Dockerfile'), text);
  }
  const content = randomBytes(FILE_BYTES);
  for (let index = 0; index < FILES; index++) {
    content.writeUInt32LE(index);
    writeFileSync(join(root, 'copy', 'files', String(index)), content);
  }
  return root;
}

let root: string | undefined;

async function build(contestant: Contestant, name: string, ...options: readonly string[]): Promise<number> {
  const buildx = await buildxPlugin();
  root ??= contexts();
  const folder = join(root, name);
  return timed(() =>
    must([buildx, 'build', '-q', ...options, folder], { env: clientEnvironment(contestant.host), timeoutMs: 300_000 }),
  );
}

/** `docker build` through buildx; the figures of one build each. */
export const builds: Case = {
  name: 'build',
  metrics: [
    { name: 'build-one', title: 'build of one `RUN true`', unit: 'ms', maxRatio: 0.5 },
    { name: 'build-thirty', title: 'build of thirty tiny RUNs', unit: 'ms', maxRatio: 0.26 },
    { name: 'build-stages', title: 'build of eight stages of `sleep 1`', unit: 'ms', maxRatio: 0.68 },
    { name: 'build-copy', title: 'build that copies 2,000 files, 200 MB', unit: 'ms', maxRatio: 0.75 },
    { name: 'build-cached', title: 'the same from the cache', unit: 'ms', maxRatio: 0.72 },
    { name: 'build-changed', title: 'the same with one file changed', unit: 'ms', maxRatio: 0.35 },
    { name: 'build-fresh', title: 'the same from a directory never seen', unit: 'ms', maxRatio: 0.75 },
    { name: 'build-write', title: 'build of a RUN that writes 500 MiB', unit: 'ms' },
    { name: 'build-write-share', title: 'that, in percent of the same in `docker run`', unit: 'count', maxValue: 110 },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async round(contestant) {
    const values: Record<string, number> = {};
    for (const name of ['one', 'thirty', 'stages', 'copy']) {
      values[`build-${name}`] = await build(contestant, name, '--no-cache');
    }
    await build(contestant, 'copy');
    values['build-cached'] = await build(contestant, 'copy');
    writeFileSync(join(root ?? contexts(), 'copy', 'files', '7'), randomBytes(FILE_BYTES));
    values['build-changed'] = await build(contestant, 'copy');
    values['build-fresh'] = await buildFresh(contestant);
    values['build-write'] = await build(contestant, 'write', '--no-cache');
    const container = `write-${randomBytes(4).toString('hex')}`;
    const running = await timed(() => contestant.docker(['run', '--name', container, BUSYBOX, ...WRITE]));
    await contestant.docker(['rm', container]);
    values['build-write-share'] = (100 * values['build-write']) / running;
    return values;
  },
};

/** Builds the files under a name that no daemon has seen, so that all of them are sent. */
async function buildFresh(contestant: Contestant): Promise<number> {
  const name = `fresh-${randomBytes(4).toString('hex')}`;
  const [from, to] = [join(root ?? contexts(), 'copy'), join(root ?? contexts(), name)];
  renameSync(from, to);
  try {
    return await build(contestant, name, '--no-cache');
  } finally {
    renameSync(to, from);
  }
}

const LARGE_FILES = 5;
const SAMPLE_MS = 100;

/** A context of 5 GiB on its way: how fast, and what memory the daemon takes at most. */
export const largeContext: Case = {
  name: 'build-large',
  metrics: [
    // 150 MB a second.
    { name: 'build-intake', title: 'a build context of 5 GiB is taken in', unit: 'ms', maxValue: 35_800 },
    { name: 'build-memory', title: 'memory of the daemon meanwhile, at most (PSS)', unit: 'MiB', maxValue: 250 },
  ],
  rounds: () => 1,
  async round(contestant, { quick }) {
    root ??= contexts();
    const folder = join(root, 'large');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'Dockerfile'), `FROM ${BUSYBOX}\nRUN --mount=type=bind,target=/context ls /context\n`);
    const files = quick ? 1 : LARGE_FILES;
    for (let index = 0; index < files; index++) {
      writeFileSync(join(folder, String(index)), '');
      // Without a byte on the disk of the client.
      truncateSync(join(folder, String(index)), 1024 ** 3);
    }
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, contestant.pssBytes());
    }, SAMPLE_MS);
    const taken = await build(contestant, 'large', '--no-cache').finally(() => clearInterval(timer));
    await contestant.docker(['builder', 'prune', '-af']);
    return { 'build-intake': (taken * LARGE_FILES) / files, 'build-memory': most / 1024 ** 2 };
  },
};
