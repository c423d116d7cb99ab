import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CACHE, ROOT } from '../../scripts/lib/root.ts';
import { must } from '../../scripts/lib/run.ts';
import { debianRoot } from '../lib/debian-root.ts';
import { fetchFromDebian } from '../lib/sid.ts';
import { GUEST_FILES, INIT, MASKED_UNITS } from './guest-files.ts';
import { packInitramfs } from './initramfs.ts';

/** What qemu boots. */
export interface GuestImage {
  readonly kernel: string;
  readonly initramfs: string;
  /** A Debian 12 with systemd and what wharf needs, as ext4. */
  readonly rootDisk: string;
}

const KERNEL_PACKAGE = 'linux-image-cloud-amd64';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'kmod', 'procps', 'curl'],
  ...['nftables', 'libnftables1', 'crun', 'conmon', 'iproute2', 'tini', 'busybox-static'],
  // Quotas on another file system, profiles for AppArmor, a server of files.
  ...['xfsprogs', 'apparmor', 'nfs-kernel-server'],
  // Node's own.
  'libatomic1',
];
/** In the order in which they must be loaded. */
const BOOT_MODULES = [
  'virtio/virtio_ring',
  'virtio/virtio',
  'virtio/virtio_pci_legacy_dev',
  'virtio/virtio_pci_modern_dev',
  'virtio/virtio_pci',
  'block/virtio_blk',
];
/** Modules a guest without hardware has no use for; they are most of what there is. */
const UNUSED_MODULES = [
  'drivers/gpu',
  'drivers/infiniband',
  'drivers/hid',
  'drivers/scsi',
  'drivers/nvme',
  'drivers/md',
  'sound',
];
const DISK_BYTES = 1_200 * 1024 * 1024;

/**
 * Debian's cloud kernel and a root filesystem for it, made from Debian packages. Kept under .cache by the hash of all that goes into it; a
 * minute otherwise. Throws with apt's or mmdebstrap's words when a package cannot be had.
 */
export async function guestImage(): Promise<GuestImage> {
  const recipe = JSON.stringify([GUEST_FILES, INIT, MASKED_UNITS, PACKAGES, BOOT_MODULES, UNUSED_MODULES, DISK_BYTES]);
  const source = readFileSync(import.meta.filename, 'utf8');
  const key = hash(recipe + source);
  const folder = join(CACHE, 'vm', key);
  const image = imageIn(folder);
  if (existsSync(folder)) return image;
  mkdirSync(dirname(folder), { recursive: true });
  for (const old of readdirSync(dirname(folder))) rmSync(join(dirname(folder), old), { recursive: true, force: true });
  const half = mkdtempSync(`${folder}.half-`);
  try {
    await buildImage(half);
    renameSync(half, folder);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return image;
}

function imageIn(folder: string): GuestImage {
  return {
    kernel: join(folder, 'vmlinuz'),
    initramfs: join(folder, 'initramfs'),
    rootDisk: join(folder, 'root.ext4'),
  };
}

async function buildImage(folder: string): Promise<void> {
  const image = imageIn(folder);
  const kernelTree = await fetchKernel();
  const [release = ''] = readdirSync(join(kernelTree, 'lib/modules'));
  const modules = join(kernelTree, 'lib/modules', release);
  copyFileSync(join(kernelTree, 'boot', `vmlinuz-${release}`), image.kernel);
  writeFileSync(image.initramfs, initramfs(modules));
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  await must([
    'tar',
    '-xf',
    await debianRoot(`vm-${hash(PACKAGES.join())}`, PACKAGES),
    '-C',
    tree,
    '--exclude=./dev/*',
  ]);
  mkdirSync(join(tree, 'usr/lib/modules'), { recursive: true });
  await must(['cp', '-a', modules, join(tree, 'usr/lib/modules', release)]);
  for (const unused of UNUSED_MODULES) {
    rmSync(join(tree, 'usr/lib/modules', release, 'kernel', unused), { recursive: true, force: true });
  }
  await must(['chroot', tree, '/sbin/depmod', release]);
  configure(tree);
  await makeDisk(tree, image.rootDisk, DISK_BYTES);
  rmSync(tree, { recursive: true });
}

/** The package by that name only points to the newest kernel's. */
async function fetchKernel(): Promise<string> {
  const depends = await must(['apt-cache', 'depends', KERNEL_PACKAGE]);
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`${KERNEL_PACKAGE} names no kernel:\n${depends}`);
  return fetchFromDebian(name, [name]);
}

function initramfs(modules: string): Buffer {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path)) ?? '/bin/busybox';
  return packInitramfs(
    ['bin', 'dev', 'modules', 'root'],
    [
      { name: 'init', data: Buffer.from(INIT), mode: 0o755 },
      { name: 'bin/busybox', data: readFileSync(busybox), mode: 0o755 },
      ...BOOT_MODULES.map((path, index) => ({
        name: `modules/${index}.ko`,
        data: readFileSync(join(modules, 'kernel/drivers', `${path}.ko`)),
        mode: 0o644,
      })),
    ],
  );
}

function configure(tree: string): void {
  for (const { path, text, mode } of GUEST_FILES) {
    const target = join(tree, path);
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { force: true });
    writeFileSync(target, text);
    chmodSync(target, mode);
  }
  const units = join(tree, 'etc/systemd/system');
  for (const name of MASKED_UNITS) {
    rmSync(join(units, name), { force: true });
    symlinkSync('/dev/null', join(units, name));
  }
  enable(units, 'test-agent.service', 'multi-user.target');
  enable(units, 'test-network.service', 'network-online.target');
  // As the guide has it: a link to the program, the unit copied, enabled. The unit itself comes with the repository's disk.
  symlinkSync(join(ROOT, 'packaging/systemd/wharf.service'), join(units, 'wharf.service'));
  enable(units, 'wharf.service', 'multi-user.target');
  symlinkSync(join(ROOT, 'bin/wharfd'), join(tree, 'usr/local/bin/wharfd'));
  mkdirSync(join(tree, ROOT), { recursive: true });
}

function enable(units: string, name: string, target: string): void {
  mkdirSync(join(units, `${target}.wants`), { recursive: true });
  symlinkSync(`../${name}`, join(units, `${target}.wants`, name));
}

/** What of the repository a user's machine has: sources, the packages the daemon needs, and what of both is compiled already. */
export async function repositoryDisk(directory: string): Promise<string> {
  const tree = join(directory, 'repository');
  const disk = join(directory, 'repository.ext4');
  mkdirSync(join(tree, 'node_modules/.cache'), { recursive: true });
  for (const name of ['bin', 'packages', 'packaging', 'package.json']) {
    await must(['cp', '-a', join(ROOT, name), join(tree, name)]);
  }
  for (const name of runtimeModules()) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    await must(['cp', '-a', join(ROOT, name), join(tree, name)]);
  }
  const compiled = join(ROOT, 'node_modules/.cache/wharf');
  if (existsSync(compiled)) await must(['cp', '-a', compiled, join(tree, 'node_modules/.cache/wharf')]);
  await makeDisk(tree, disk, 600 * 1024 * 1024);
  rmSync(tree, { recursive: true });
  return disk;
}

interface LockedPackage {
  readonly dev?: boolean;
}

function runtimeModules(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true && existsSync(join(ROOT, path)))
    .map(([path]) => path);
}

async function makeDisk(tree: string, disk: string, bytes: number): Promise<void> {
  writeFileSync(disk, '');
  truncateSync(disk, bytes);
  await must(['/sbin/mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-d', tree, disk]);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
