import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root.ts';
import { must } from '../run.ts';
import { bundleCli } from './bundle-cli.ts';
import { copyDependencies } from './dependencies.ts';
import { stripPackage } from './strip-package.ts';

/** A release laid out in a directory as it is installed. */
export interface Release {
  readonly directory: string;
  readonly version: string;
  /** As Node has it: `x64`, `arm64`. */
  readonly architecture: string;
}

/** How the launchers find the directory above them, from a link too; without a process of its own where there is none. */
const FIND_ROOT = [
  'self=$0',
  '[ ! -L "$self" ] || self=$(readlink -f -- "$self")',
  'case $self in /*) ;; *) self=$PWD/$self ;; esac',
  'root=${self%/bin/*}',
].join('\n');

/**
 * Lays a release out: Node, the daemon's modules without their types, the command line as a bundle with its compile cache, completions,
 * manual, unit. `root` is where it will lie; absent, the launchers find out where they are.
 */
export async function stageRelease(directory: string, root?: string): Promise<Release> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  const release = { directory, version, architecture: process.arch };
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify({ name: 'wharf', version, private: true })}\n`);
  stageNode(release);
  stagePackages(release);
  await bundleCli(join(directory, 'cli'));
  copyFileSync(join(ROOT, 'packages/wharf/src/listing/quick.pl'), join(directory, 'cli/quick.pl'));
  stageLaunchers(release, root === undefined ? FIND_ROOT : `root=${root}`);
  cpSync(join(ROOT, 'packaging/systemd'), join(directory, 'share/systemd'), { recursive: true });
  await stageGenerated(release);
  return release;
}

function stageNode({ directory, architecture }: Release): void {
  const from = join(ROOT, `node_modules/node-linux-${architecture}`);
  if (!existsSync(join(from, 'bin/node')))
    throw new Error(`Cannot build a release: npm brought no Node for ${architecture}`);
  copyFileSync(join(from, 'bin/node'), join(directory, 'node'));
  chmodSync(join(directory, 'node'), 0o755);
  mkdirSync(join(directory, 'share/licenses'), { recursive: true });
  copyFileSync(join(from, 'LICENSE'), join(directory, 'share/licenses/node'));
}

function stagePackages({ directory }: Release): void {
  const names = readdirSync(join(ROOT, 'packages'));
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, '@wharf'), { recursive: true });
  for (const name of names) {
    stripPackage(join(ROOT, 'packages', name), join(directory, 'packages', name));
    symlinkSync(`../../packages/${name}`, join(modules, '@wharf', name));
  }
  const workspaces = names.map((name) => join(ROOT, 'packages', name));
  copyDependencies(workspaces, join(ROOT, 'node_modules'), modules);
}

function stageLaunchers({ directory }: Release, findRoot: string): void {
  mkdirSync(join(directory, 'bin'));
  for (const name of ['wharf', 'wharfd']) {
    const text = readFileSync(join(ROOT, 'packaging/bin', name), 'utf8').replace('@FIND_ROOT@', findRoot);
    writeFileSync(join(directory, 'bin', name), text, { mode: 0o755 });
  }
}

/** What the program writes itself. Each run also leaves what V8 compiled in the cache that the release carries. */
async function stageGenerated({ directory }: Release): Promise<void> {
  const share = join(directory, 'share');
  // As packaging/bin/wharf starts it: V8 takes from a cache only what was compiled under the same flags.
  const cli = join(directory, 'cli');
  const cache = join(cli, 'cache');
  const node = [join(directory, 'node'), '--no-rehash-snapshot', '--disable-sigusr1'] as const;
  const kept = { NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: '1', NODE_OPTIONS: undefined };
  const env = { ...kept, HOME: '/root', DOCKER_CONFIG: undefined, DOCKER_CERT_PATH: undefined };
  const ask = (...line: readonly string[]) => must([...node, join(cli, 'wharf.cjs'), ...line], { env });
  await ask('man', join(share, 'man/man1'));
  mkdirSync(join(share, 'man/man8'));
  renameSync(join(share, 'man/man1/wharfd.8'), join(share, 'man/man8/wharfd.8'));
  const places = { bash: 'bash/wharf', fish: 'fish/wharf.fish', zsh: 'zsh/_wharf' } as const;
  for (const [shell, place] of Object.entries(places)) {
    mkdirSync(join(share, 'completion', place, '..'), { recursive: true });
    writeFileSync(join(share, 'completion', place), await ask('completion', shell));
  }
  // The rest of the chunks, so that nobody who may write there has to.
  const all = `for (const name of require('fs').readdirSync('.')) if (name.endsWith('.cjs')) require(${'`./${name}`'})`;
  await must([...node, '-e', all], { env, cwd: cli });
  for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}
