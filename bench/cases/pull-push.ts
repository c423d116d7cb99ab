import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RegistryUnderTest, startDockerRegistry } from '../../e2e/lib/registries.ts';
import { dockerArchive, type LayerFile } from '../../scripts/lib/busybox-image.ts';
import { must } from '../../scripts/lib/run.ts';
import { type Case, type Scale, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';
import { scratch } from '../lib/scratch.ts';

const LAYERS = 8;
const FILES_PER_LAYER = 125;
const TEXT_BYTES = 16 * 1024 * 1024;

/** Text that packs about as well as what images hold: words, and digests between them. The same each time. */
function text(): Buffer {
  const words = Array.from({ length: 4096 }, (_, index) => hash(`word ${index}`).slice(0, 3 + (index % 9)));
  const lines: string[] = [];
  for (let line = 0, bytes = 0; bytes < TEXT_BYTES; line += 1) {
    const digits = hash(`line ${line}`);
    const chosen = Array.from({ length: 8 }, (_, at) => words[Number.parseInt(digits.slice(at * 3, at * 3 + 3), 16)]);
    const row = `${chosen.join(' ')} ${digits.slice(24, 52)}\n`;
    lines.push(row);
    bytes += row.length;
  }
  return Buffer.from(lines.join(''));
}

function hash(of: string): string {
  return createHash('sha256').update(of).digest('hex');
}

/** A 500 MB image of 8 layers as an OCI layout with compressed layers, made once. */
async function packedImage({ quick }: Scale): Promise<string> {
  const layout = join(scratch(), `packed-${quick}`);
  if (existsSync(layout)) return layout;
  const fileBytes = quick ? 50_000 : 500_000;
  const source = text();
  const layers = Array.from({ length: LAYERS }, (_, layer): LayerFile[] =>
    Array.from({ length: FILES_PER_LAYER }, (__, index) => {
      const offset = ((layer * FILES_PER_LAYER + index) * 15_013) % (source.length - fileBytes);
      return { path: `data/${layer}/file-${index}`, content: source.subarray(offset, offset + fileBytes) };
    }),
  );
  const archive = join(scratch(), `packed-${quick}.tar`);
  writeFileSync(archive, dockerArchive({ reference: 'bench/packed:latest', layers }));
  await must(['skopeo', 'copy', '-q', `docker-archive:${archive}`, `oci:${layout}:latest`], { timeoutMs: 120_000 });
  return layout;
}

/** The registries that hold the image. */
const sources = new Map<Contestant['name'], RegistryUnderTest>();

async function fillRegistry(contestant: Contestant, scale: Scale): Promise<void> {
  const { within } = contestant;
  const source = await startDockerRegistry({ within });
  sources.set(contestant.name, source);
  const copy = ['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${await packedImage(scale)}:latest`];
  const line: readonly string[] = [...within, ...copy, `docker://${source.address}/packed:1`];
  const [program = '', ...rest] = line;
  await must([program, ...rest]);
}

/** The way to a registry and back, beside the machine's docker-registry, whose part both pay. */
export const pullPush: Case = {
  name: 'pull-push',
  metrics: [
    { name: 'pull', title: '`pull` of a 500 MB image of 8 layers, unpacked', unit: 'ms', maxRatio: 0.7 },
    { name: 'push', title: '`push` of it to an empty registry', unit: 'ms', maxRatio: 0.7 },
  ],
  rounds: ({ quick }) => (quick ? 2 : 5),
  async prepare(contestant, scale) {
    await fillRegistry(contestant, scale);
  },
  async round(contestant) {
    const source = sources.get(contestant.name);
    if (source === undefined) throw new Error('there is no registry to pull from');
    // A registry of its own for each push: nothing can be mounted, and nothing is there already.
    await using target = await startDockerRegistry({ within: contestant.within });
    const [from, to] = [`${source.address}/packed:1`, `${target.address}/packed:1`];
    const pull = await timed(() => contestant.docker(['pull', '-q', from]));
    await contestant.docker(['tag', from, to]);
    const push = await timed(() => contestant.docker(['push', '-q', to]));
    await contestant.docker(['rmi', '-f', from, to]);
    return { pull, push };
  },
  async cleanUp(contestant) {
    const source = sources.get(contestant.name);
    sources.delete(contestant.name);
    await source?.[Symbol.asyncDispose]();
  },
};
