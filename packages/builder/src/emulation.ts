import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WharfError } from '@wharf/kit';
import { type BinaryHandler, binaryHandlers, type ElfMachine, handlerFor } from '@wharf/linux/binfmt';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform } from '@wharf/oci/spec/platform';

const little = (bits: 32 | 64, machine: number): ElfMachine => ({ bits, order: 'little', machine });
const big = (bits: 32 | 64, machine: number): ElfMachine => ({ bits, order: 'big', machine });

/** Architectures by what their programs look like (elf(5), `e_machine`). */
const MACHINES: Readonly<Record<string, ElfMachine>> = {
  '386': little(32, 3),
  amd64: little(64, 62),
  arm: little(32, 40),
  arm64: little(64, 183),
  loong64: little(64, 258),
  mips: big(32, 8),
  mipsle: little(32, 8),
  mips64: big(64, 8),
  mips64le: little(64, 8),
  ppc64: big(64, 21),
  ppc64le: little(64, 21),
  riscv64: little(64, 243),
  s390x: big(64, 22),
};

/** What a processor runs besides its own. */
const ALSO: Readonly<Record<string, readonly string[]>> = { amd64: ['386'] };

/** What some processors of an architecture run and others do not: the kernel is to judge. */
const PERHAPS: Readonly<Record<string, readonly string[]>> = { arm64: ['arm'], ppc64le: ['ppc64'], ppc64: ['ppc64le'] };

/** The platforms whose commands can run here: the host's own, and those that an emulator is registered for. */
export function runnablePlatforms(handlers: readonly BinaryHandler[] = binaryHandlers()): readonly Platform[] {
  const host = hostPlatform();
  const native = [host.architecture, ...(ALSO[host.architecture] ?? [])];
  const emulated = Object.entries(MACHINES)
    .filter(([name, machine]) => !native.includes(name) && handlerFor(handlers, machine)?.isFixed === true)
    .map(([name]) => name);
  return [...native, ...emulated].map((architecture) => parsePlatform(`linux/${architecture}`));
}

/**
 * Checks that a command for a platform can run in a tree. Throws `failed-precondition` that says what is missing and how to get it:
 * the kernel itself would only say "exec format error".
 */
export function checkRunnable(
  platform: Platform,
  options: {
    readonly rootfs: string;
    readonly handlers?: () => readonly BinaryHandler[];
    readonly host?: Platform;
  },
): void {
  const { rootfs, handlers = binaryHandlers, host = hostPlatform() } = options;
  const { os, architecture } = normalizePlatform(platform);
  const { architecture: own } = host;
  const machine = os === 'linux' ? MACHINES[architecture] : undefined;
  const mayBeNative = [own, ...(ALSO[own] ?? []), ...(PERHAPS[own] ?? [])].includes(architecture);
  // Of what is not known here the kernel is to judge.
  if (machine === undefined || mayBeNative) return;
  const begin = `Cannot run a command for ${formatPlatform(platform)} on ${formatPlatform(host)} (exec format error)`;
  const handler = handlerFor(handlers(), machine);
  if (handler === undefined) {
    throw new WharfError(
      'failed-precondition',
      `${begin}: no emulator is registered for it: install one with "apt-get install qemu-user-static binfmt-support"`,
    );
  }
  if (handler.isFixed || existsSync(join(rootfs, handler.interpreter))) return;
  throw new WharfError(
    'failed-precondition',
    `${begin}: its emulator ${handler.interpreter} is registered as "${handler.name}" without the flag F, so it would have to be in the image: register it anew with "apt-get install --reinstall qemu-user-static"`,
  );
}
