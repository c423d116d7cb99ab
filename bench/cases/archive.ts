import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUSYBOX } from '../../e2e/lib/images.ts';
import { dockerArchive, type LayerFile } from '../../scripts/lib/busybox-image.ts';
import { type Case, type Scale, timed } from '../lib/case.ts';
import { scratch } from '../lib/scratch.ts';

const LAYERS = 8;
const FILES_PER_LAYER = 125;
const IMAGE = 'bench/large:latest';

/** The archive of a 500 MB image, made once. Its content does not compress. */
function largeImage({ quick }: Scale): string {
  const path = join(scratch(), `large-${quick}.tar`);
  if (existsSync(path)) return path;
  const fileBytes = quick ? 50_000 : 500_000;
  const noise = randomBytes(fileBytes + LAYERS * FILES_PER_LAYER);
  const layers = Array.from({ length: LAYERS }, (_, layer): LayerFile[] =>
    Array.from({ length: FILES_PER_LAYER }, (__, index) => {
      const offset = layer * FILES_PER_LAYER + index;
      return { path: `data/${layer}/file-${index}`, content: noise.subarray(offset, offset + fileBytes) };
    }),
  );
  writeFileSync(path, dockerArchive({ reference: IMAGE, layers }));
  return path;
}

export const loadAndSave: Case = {
  name: 'load-save',
  metrics: [
    { name: 'load', title: '`load` of a 500 MB image of 8 layers', unit: 'ms', maxRatio: 1 },
    { name: 'save', title: '`save` of it', unit: 'ms', maxRatio: 1 },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async round(contestant, scale) {
    const path = largeImage(scale);
    const load = await timed(() => contestant.docker(['load', '-q', '-i', path]));
    const save = await timed(() => contestant.shell(`docker save ${IMAGE} > /dev/null`));
    await contestant.docker(['rmi', '-f', IMAGE]);
    return { load, save };
  },
};

const COPY_NAME = 'bench-copy';

function manyFiles({ quick }: Scale): string {
  const count = quick ? 1000 : 10_000;
  const root = join(scratch(), `files-${count}`);
  if (existsSync(root)) return root;
  for (let index = 0; index < count; index += 1) {
    const dir = join(root, `d${index % 100}`);
    if (index < 100) mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `f${index}`), `file ${index}\n`.repeat(40));
  }
  return root;
}

export const copy: Case = {
  name: 'cp',
  metrics: [
    { name: 'cp-in', title: '`cp` of 10,000 files into a container', unit: 'ms', maxRatio: 1 },
    { name: 'cp-out', title: '`cp` of them out', unit: 'ms', maxRatio: 1 },
  ],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async round(contestant, scale) {
    const source = manyFiles(scale);
    await contestant.docker(['run', '-d', '--name', COPY_NAME, BUSYBOX, 'sleep', '1000000']);
    const into = await timed(() => contestant.docker(['cp', '-q', source, `${COPY_NAME}:/copied`]));
    const out = await timed(() => contestant.shell(`docker cp -q ${COPY_NAME}:/copied - > /dev/null`));
    await contestant.docker(['rm', '-f', COPY_NAME]);
    return { 'cp-in': into, 'cp-out': out };
  },
};
