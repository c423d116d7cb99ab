import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';
import { findProgram } from './read.ts';

const LIBRARY_DIRS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
const VERSION_TIMEOUT_MS = 5000;

export const toolChecks: readonly Check[] = [node, runtime, monitor, nftablesLibrary, init, unpackers];

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 26) return ok('tool.node', `Node ${process.versions.node}`);
  return fail('tool.node', `Node ${process.versions.node} is too old: 26 is needed`, 'npm ci --ignore-scripts');
}

async function runtime(): Promise<Finding> {
  const crun = findProgram('crun');
  if (crun !== undefined) return versioned('tool.runtime', crun, fail);
  const runc = findProgram('runc');
  if (runc === undefined) return fail('tool.runtime', 'no OCI runtime is installed', 'apt-get install crun');
  return warn(
    'tool.runtime',
    'crun is missing: only runc is there, start wharfd with --default-runtime runc',
    'apt-get install crun',
  );
}

function monitor(): Finding | Promise<Finding> {
  const path = findProgram('conmon');
  return path === undefined
    ? fail('tool.conmon', 'conmon is missing', 'apt-get install conmon')
    : versioned('tool.conmon', path, fail);
}

async function versioned(id: string, path: string, onError: typeof fail): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    return ok(id, `${stdout.split('\n')[0]?.trim() ?? path} (${path})`);
  } catch (error) {
    return onError(
      id,
      `${path} does not run: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    );
  }
}

function nftablesLibrary(): Finding {
  if (LIBRARY_DIRS.some((dir) => existsSync(`${dir}/libnftables.so.1`)))
    return ok('tool.nftables', 'libnftables is there');
  return fail('tool.nftables', 'libnftables is missing: no NAT and no published ports', 'apt-get install libnftables1');
}

function init(): Finding {
  const names = ['docker-init', 'tini-static', 'tini', 'catatonit'];
  const path = names.map(findProgram).find((found) => found !== undefined);
  if (path !== undefined) return ok('tool.init', `init for --init: ${path}`);
  return warn('tool.init', 'no init program is installed: docker run --init fails', 'apt-get install tini');
}

function unpackers(): Finding {
  const missing = ['xz', 'bzip2'].filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return ok('tool.unpackers', 'xz and bzip2 are there');
  const packages = missing.map((name) => (name === 'xz' ? 'xz-utils' : name));
  return warn(
    'tool.unpackers',
    `${missing.join(' and ')} missing: such archives cannot be loaded`,
    `apt-get install ${packages.join(' ')}`,
  );
}
