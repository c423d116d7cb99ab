import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';
import { readText } from './read.ts';

const LOW_DISK_BYTES = 2 * 1024 ** 3;

/** capabilities(7) by bit; without the first group the engine does nothing, without the second something is missing. */
const NEEDED = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
  CAP_NET_ADMIN: 12,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_ADMIN: 21,
};
const USEFUL: Readonly<Record<string, readonly [number, string]>> = {
  CAP_MKNOD: [27, 'images with device files do not unpack'],
  CAP_SYS_PTRACE: [19, 'processes of other users cannot be looked at'],
  CAP_SYS_RESOURCE: [24, 'limits above those of the daemon itself are clamped to them'],
};

export function hostChecks(dataRoot: string): readonly Check[] {
  return [root, capabilities, network, forwarding, firewall, () => disk(dataRoot)];
}

function root(): Finding {
  if (process.getuid?.() === 0) return ok('host.root', 'running as root');
  return fail('host.root', `running as user ${process.getuid?.()}: the daemon needs root`, 'sudo wharf doctor');
}

function capabilities(): Finding {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readText('/proc/self/status') ?? '')?.[1] ?? '0'}`);
  const has = (bit: number) => (mask & (1n << BigInt(bit))) !== 0n;
  const missing = Object.entries(NEEDED).filter(([, bit]) => !has(bit));
  if (missing.length > 0) {
    return fail(
      'host.capabilities',
      `capabilities are missing: ${missing.map(([name]) => name).join(', ')}`,
      'run as root, outside of an unprivileged container',
    );
  }
  const absent = Object.entries(USEFUL).filter(([, [bit]]) => !has(bit));
  if (absent.length === 0) return ok('host.capabilities', 'all capabilities are there');
  return warn(
    'host.capabilities',
    absent.map(([name, [, consequence]]) => `${name} is missing: ${consequence}`).join('; '),
  );
}

/** Makes a bridge, a veth pair and an nftables table in a namespace of its own, which vanishes with them. */
async function network(): Promise<Finding> {
  if (process.getuid?.() !== 0)
    return warn('host.network', 'bridges and nftables cannot be tried without root', 'sudo wharf doctor');
  const { probeNetwork } = await import('./network-probe.ts');
  const problems = await probeNetwork();
  if (problems.length === 0) return ok('host.network', 'bridge, veth and nftables work');
  return fail(
    'host.network',
    problems.map(({ what, why }) => `${what}: ${why}`).join('; '),
    `modprobe ${problems.map(({ module }) => module).join(' ')}`,
  );
}

function forwarding(): Finding {
  if (readText('/proc/sys/net/ipv4/ip_forward') === '1') return ok('host.forwarding', 'IPv4 forwarding is on');
  return warn(
    'host.forwarding',
    'IPv4 forwarding is off: wharfd switches it on when it starts',
    'sysctl -w net.ipv4.ip_forward=1',
  );
}

/** Another firewall's word stands beside ours: what it drops never reaches a container. */
async function firewall(): Promise<Finding> {
  if (process.getuid?.() !== 0)
    return warn('host.firewall', 'the firewall cannot be read without root', 'sudo wharf doctor');
  const { findForwardBlocks } = await import('./network-probe.ts');
  const blocks = findForwardBlocks();
  if (blocks.length === 0) return ok('host.firewall', 'no other firewall drops forwarded packets');
  const chains = blocks.map(({ family, table, chain }) => `"${family} ${table} ${chain}"`).join(', ');
  return warn(
    'host.firewall',
    `${chains} drops forwarded packets: other machines cannot reach containers, nor these the outside`,
    blocks.map(({ hint }) => hint.replaceAll('BRIDGE', 'wharf0')).join('; '),
  );
}

function disk(dataRoot: string): Finding {
  let path = dataRoot;
  while (!existsSync(path)) path = dirname(path);
  const stats = statfsSync(path);
  const freeBytes = stats.bavail * stats.bsize;
  const shown = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free for ${dataRoot}`;
  if (stats.files > 0 && stats.ffree < 10_000)
    return warn('host.disk', `only ${stats.ffree} inodes are free for ${dataRoot}`, 'docker system prune');
  return freeBytes < LOW_DISK_BYTES
    ? warn('host.disk', `only ${shown}`, 'docker system prune')
    : ok('host.disk', shown);
}
