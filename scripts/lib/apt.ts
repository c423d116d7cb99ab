import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from './delay.ts';
import { run } from './run.ts';

const APT_LISTS = '/var/lib/apt/lists';
const APT_OPTIONS = [
  '-y',
  '-q',
  '--no-install-recommends',
  '-o',
  'DPkg::Lock::Timeout=300',
  '-o',
  'Dpkg::Options::=--force-confold',
];
const ENV = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'a', LC_ALL: 'C' };

/**
 * Installs Debian packages; refreshes the package lists only when there are none or they turn out too old.
 * Waits for another apt to finish. Throws with apt's own words.
 */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error(`apt-get is missing: install these with your system's package manager: ${packages.join(' ')}`);
  }
  if (process.getuid?.() !== 0) throw new Error(`root is needed to install: ${packages.join(' ')}`);
  const install: [string, ...string[]] = ['apt-get', 'install', ...APT_OPTIONS, ...packages];
  if (hasLists()) {
    const first = await run(install, { env: ENV, timeoutMs: 600_000 });
    if (first.code === 0) return;
  }
  await aptUpdate();
  const second = await run(install, { env: ENV, timeoutMs: 600_000 });
  if (second.code !== 0) throw new Error(`apt-get install ${packages.join(' ')} failed:\n${second.output.trimEnd()}`);
}

/** Refreshes the package lists; `options` are further apt-get arguments. */
export async function aptUpdate(options: readonly string[] = []): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await run(['apt-get', 'update', '-q', ...options], { env: ENV, timeoutMs: 300_000 });
    if (result.code === 0) return;
    // apt-get has no option to wait for the lists' lock.
    const locked = /Could not get lock/.test(result.output);
    if (attempt >= (locked ? 60 : 3)) throw new Error(`apt-get update failed:\n${result.output.trimEnd()}`);
    await delay(2000);
  }
}

function hasLists(): boolean {
  try {
    return readdirSync(APT_LISTS).some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}

/** The address the machine's own Debian comes from, in either form of sources.list(5). */
export function debianMirror(): string {
  const dir = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [])];
  for (const file of files.filter((path) => existsSync(path) && /\.(list|sources)$/.test(path))) {
    const text = readFileSync(file, 'utf8');
    const found = /^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S*\/debian)\/?(?:\s|$)/m.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`Cannot find this machine's Debian address: no ".../debian" in /etc/apt/sources.list or ${dir}`);
}
