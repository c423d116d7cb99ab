import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from '../../scripts/lib/requirements.ts';
import { run } from '../../scripts/lib/run.ts';

/** What a daemon could leave behind on a machine; each entry is a line fit to be shown. */
export interface Inventory {
  readonly mounts: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
  readonly nftTables: ReadonlySet<string>;
  readonly cgroups: ReadonlySet<string>;
  readonly processes: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
}

const WATCHED_PROGRAMS =
  /(^|\/)(conmon|crun|runc|tini-static|dockerd|containerd|containerd-shim-runc-v2)$|\/wharfd\.ts$/;

/** Looks at the whole machine, for a comparison before and after. */
export async function takeInventory(): Promise<Inventory> {
  return {
    mounts: new Set(mountPoints()),
    links: new Set(readdirSync('/sys/class/net')),
    nftTables: new Set(await nftTables()),
    cgroups: new Set(cgroups()),
    processes: new Set(processes().map(({ pid, command }) => `${pid} ${command}`)),
    files: new Set(['/run', '/tmp', '/var/lib'].flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)))),
  };
}

/** What is there now and was not before, as lines; empty when nothing leaked. `only` narrows it to one daemon's things. */
export function leaks(
  before: Inventory,
  after: Inventory,
  only: (line: string) => boolean = () => true,
): readonly string[] {
  return (Object.keys(after) as (keyof Inventory)[]).flatMap((kind) =>
    [...after[kind]].filter((entry) => !before[kind].has(entry) && only(entry)).map((entry) => `${kind}: ${entry}`),
  );
}

/** What still bears one daemon's directory or one of its container ids. */
export async function tracesOf(directory: string, containerIds: readonly string[] = []): Promise<readonly string[]> {
  const mine = (text: string) => text.includes(directory) || containerIds.some((id) => text.includes(id));
  return [
    ...mountPoints()
      .filter(mine)
      .map((path) => `mount: ${path}`),
    ...processes()
      .filter(({ command }) => mine(command))
      .map(({ pid, command }) => `process: ${pid} ${command}`),
    ...cgroups()
      .filter(mine)
      .map((path) => `cgroup: ${path}`),
  ];
}

function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ')[4] ?? '');
}

async function nftTables(): Promise<readonly string[]> {
  const nft = findCommand('nft');
  if (nft === undefined) return [];
  const result = await run([nft, 'list', 'tables'], { timeoutMs: 10_000 });
  return result.stdout.split('\n').filter((line) => line !== '');
}

/** All control groups, as paths below the hierarchy they are in. */
function cgroups(): readonly string[] {
  const found: string[] = [];
  const walk = (dir: string, depth: number) => {
    let entries: Dirent[];
    try {
      entries = readdirSync(dir, { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      found.push(join(dir, entry.name));
      if (depth < 6) walk(join(dir, entry.name), depth + 1);
    }
  };
  walk('/sys/fs/cgroup', 0);
  return found;
}

/** Processes of container machinery, by their program's path. */
export function processes(): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8')
          .split('\0')
          .filter((word) => word !== '');
        const watched = words.slice(0, 4).some((word) => WATCHED_PROGRAMS.test(word));
        return watched ? [{ pid: Number(name), command: words.join(' ') }] : [];
      } catch {
        return [];
      }
    });
}
