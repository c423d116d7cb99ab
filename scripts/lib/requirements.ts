import { closeSync, existsSync, openSync, readSync } from 'node:fs';

/** A Debian package and how to see that it is there, without asking dpkg (which takes 20 ms a question). */
export interface Requirement {
  readonly name: string;
  readonly why: string;
  readonly present: () => boolean;
}

const LIBRARY_DIRS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];

/** What the daemon needs on the machine. */
export const RUNTIME_REQUIREMENTS: readonly Requirement[] = [
  { name: 'crun', why: 'starts containers', present: command('crun') },
  { name: 'conmon', why: 'keeps their stdio, log and exit status', present: command('conmon') },
  { name: 'nftables', why: 'published ports and NAT', present: command('nft') },
  { name: 'libnftables1', why: 'the same without a process per change', present: library('libnftables.so.1') },
  {
    name: 'busybox-static',
    why: 'the demo image',
    present: () => isStatic('/bin/busybox') || isStatic('/usr/bin/busybox'),
  },
  { name: 'tini', why: 'docker run --init', present: command('tini-static') },
  { name: 'iproute2', why: 'looking at networks by hand', present: command('ip') },
  { name: 'procps', why: 'ps for docker top', present: command('ps') },
  { name: 'xz-utils', why: 'layers packed with xz', present: command('xz') },
  { name: 'bzip2', why: 'layers packed with bzip2', present: command('bzip2') },
];

/** What `npm test` needs besides. */
export const TEST_REQUIREMENTS: readonly Requirement[] = [
  { name: 'curl', why: 'fetching published ports', present: command('curl') },
  { name: 'bind9-dnsutils', why: 'dig asks the embedded resolver', present: command('dig') },
  { name: 'iperf3', why: 'throughput of networks in the benchmark', present: command('iperf3') },
  { name: 'bsdutils', why: 'script gives a client a terminal', present: command('script') },
  { name: 'util-linux', why: 'unshare and nsenter', present: command('unshare') },
  { name: 'e2fsprogs', why: 'mkfs.ext4 for volumes on disk images', present: command('mkfs.ext4') },
  { name: 'docker-registry', why: 'a registry beside ours', present: command('docker-registry') },
  { name: 'skopeo', why: 'reads and writes images beside us', present: command('skopeo') },
  { name: 'wrk', why: 'many requests at once, for npm run bench', present: command('wrk') },
  { name: 'strace', why: 'has the kernel refuse to sync, to see what a failing disk does', present: command('strace') },
  { name: 'git', why: 'repositories as sources of builds', present: command('git') },
  { name: 'openssh-client', why: 'keys and agents lent to builds', present: command('ssh-agent') },
  { name: 'openssl', why: 'certificates for TLS', present: command('openssl') },
  { name: 'mmdebstrap', why: 'Debian images for whole applications', present: command('mmdebstrap') },
  {
    name: 'qemu-system-x86',
    why: 'a machine of its own kernel, with cgroup v2 and systemd',
    present: command('qemu-system-x86_64'),
  },
  { name: 'docker-compose', why: 'Compose 1.29 as a client', present: command('docker-compose') },
  {
    name: 'python3-docker',
    why: 'docker-py as a client',
    present: () => existsSync('/usr/lib/python3/dist-packages/docker'),
  },
];

/** Where a program lies, searching PATH and the system's own directories. */
export function findCommand(name: string): string | undefined {
  const dirs = [
    ...(process.env['PATH'] ?? '').split(':'),
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ];
  return dirs.map((dir) => `${dir}/${name}`).find((path) => existsSync(path));
}

function command(name: string): () => boolean {
  return () => findCommand(name) !== undefined;
}

function library(name: string): () => boolean {
  return () => LIBRARY_DIRS.some((dir) => existsSync(`${dir}/${name}`));
}

/** True for an ELF file without an interpreter segment (PT_INTERP, elf(5)). */
export function isStatic(path: string): boolean {
  if (!existsSync(path)) return false;
  const head = Buffer.alloc(4096);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  if (head.readUInt32BE(0) !== 0x7f454c46) return false;
  const tableOffset = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index += 1) {
    const at = tableOffset + index * entrySize;
    if (at + 4 > head.length) break;
    if (head.readUInt32LE(at) === 3) return false;
  }
  return true;
}
