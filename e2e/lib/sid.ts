import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptUpdate, debianMirror } from '../../scripts/lib/apt.ts';
import { CACHE } from '../../scripts/lib/root.ts';
import { must } from '../../scripts/lib/run.ts';

const HOME = join(CACHE, 'sid');

/**
 * Unpacks packages of Debian sid into a folder under .cache, beside the system and never into it. Returns the folder, a root like
 * `/` with `usr/bin` in it. Fetched once; throws when there is no network.
 */
export async function fetchFromSid(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(CACHE, 'peers', name);
  if (existsSync(folder)) return folder;
  const options = aptOptions();
  if (!existsSync(join(HOME, 'updated'))) {
    await aptUpdate(options);
    writeFileSync(join(HOME, 'updated'), '');
  }
  const downloads = join(HOME, 'downloads', name);
  rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  await must(['apt-get', ...options, '-q', 'download', ...packages], { cwd: downloads, timeoutMs: 300_000 });
  return unpack(downloads, folder);
}

/** Unpacks a package of the machine's own Debian release into .cache, without installing it. */
export async function fetchFromDebian(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(CACHE, 'peers', name);
  if (existsSync(folder)) return folder;
  const downloads = join(CACHE, 'downloads', name);
  rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  await must(['apt-get', '-q', 'download', ...packages], { cwd: downloads, timeoutMs: 300_000 });
  return unpack(downloads, folder);
}

async function unpack(downloads: string, folder: string): Promise<string> {
  const half = `${folder}.half`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  for (const file of readdirSync(downloads)) await must(['dpkg', '-x', join(downloads, file), half]);
  renameSync(half, folder);
  rmSync(downloads, { recursive: true, force: true });
  return folder;
}

function aptOptions(): readonly string[] {
  for (const dir of ['lists/partial', 'cache/archives/partial', 'parts'])
    mkdirSync(join(HOME, dir), { recursive: true });
  const list = join(HOME, 'sources.list');
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(list, `deb [signed-by=${keyring}] ${debianMirror()} sid main\n`);
  const settings = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(HOME, 'lists'),
    'Dir::Cache': join(HOME, 'cache'),
    'Dir::State::status': '/dev/null',
    // The download runs as root into a folder that apt's own user may not enter.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
