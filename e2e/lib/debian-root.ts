import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from '../../scripts/lib/apt.ts';
import { CACHE } from '../../scripts/lib/root.ts';
import { must } from '../../scripts/lib/run.ts';

const DOCS = ['/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/man/*', '/usr/share/info/*'];

/** As in Docker's images of Debian: no translations are fetched, and dpkg does not wait for the disk at each file. */
const QUICK = ['--aptopt=Acquire::Languages "none"', '--dpkgopt=force-unsafe-io'];

/**
 * A tar of a minimal Debian 12 with further packages, made by mmdebstrap from the machine's own Debian address. Made once and kept
 * under .cache; half a minute otherwise. Returns its path; throws with mmdebstrap's words.
 */
export async function debianRoot(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(CACHE, 'roots');
  const path = join(folder, `${name}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const half = join(folder, `.half-${process.pid}-${name}.tar`);
  try {
    const without = DOCS.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
    const what = [
      '--variant=minbase',
      ...QUICK,
      ...without,
      `--include=${packages.join(',')}`,
      'bookworm',
      half,
      debianMirror(),
    ];
    await must(['mmdebstrap', '--quiet', ...what], { timeoutMs: 300_000, env: { LC_ALL: 'C' } });
    renameSync(half, path);
  } finally {
    rmSync(half, { force: true });
  }
  return path;
}

/** What applications of several tests stand on: one root for all of them, since each takes its time to make. */
export function applicationRoot(): Promise<string> {
  return debianRoot('three-tier', ['nginx-light', 'python3-minimal', 'python3-psycopg2', 'postgresql', 'iproute2']);
}

/** What Docker Hub has as `debian:bookworm-slim`, for applications whose images are made in tests. */
export function slimRoot(): Promise<string> {
  return debianRoot('slim', ['ca-certificates']);
}
