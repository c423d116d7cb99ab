import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Effort, gzipFile, tarDirectory } from './lib/release/archives.ts';
import { buildDeb } from './lib/release/deb.ts';
import { stageRelease } from './lib/release/stage.ts';
import { CACHE, ROOT } from './lib/root.ts';

const KINDS = ['deb', 'tar'] as const;

/** `npm run build`: what is installed on machines without Node, as a Debian package and as an archive, in dist/. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { output: { type: 'string' }, only: { type: 'string' }, fast: { type: 'boolean' } },
  });
  const kinds = KINDS.filter((kind) => values.only === undefined || values.only === kind);
  if (kinds.length === 0) throw new Error(`There is no "${values.only}" to build: --only ${KINDS.join(' or ')}`);
  const output = resolve(values.output ?? join(ROOT, 'dist'));
  const effort: Effort = values.fast === true ? 'fast' : 'small';
  mkdirSync(output, { recursive: true });
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, 'release-'));
  try {
    await Promise.all(
      kinds.map(async (kind) => {
        const start = performance.now();
        const path = kind === 'deb' ? await buildDeb(output, scratch, effort) : await buildTar(output, scratch, effort);
        const megabytes = (statSync(path).size / 1e6).toFixed(1);
        console.log(`${path}  ${megabytes} MB  ${((performance.now() - start) / 1000).toFixed(1)} s`);
      }),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** `wharf-VERSION-linux-ARCHITECTURE.tar.gz`: runs from wherever it is unpacked. */
async function buildTar(output: string, scratch: string, effort: Effort): Promise<string> {
  const staged = join(scratch, 'tar', 'wharf');
  const { version, architecture } = await stageRelease(staged);
  const name = `wharf-${version}-linux-${architecture}`;
  renameSync(staged, join(scratch, 'tar', name));
  await tarDirectory(join(scratch, 'tar'), join(scratch, 'wharf.tar'), [name]);
  const path = join(output, `${name}.tar.gz`);
  await gzipFile(join(scratch, 'wharf.tar'), path, effort);
  return path;
}

await main();
