import { WharfError } from '@wharf/kit';
import type { TmpfsOptions } from '@wharf/wire/docker/types';
import { DEFAULT_PROPAGATION } from './mount-mode.ts';

/** Each flag word with what it sets: of two words for one thing the later wins. */
const flagWords: Readonly<Record<string, string>> = {
  ro: 'write',
  rw: 'write',
  suid: 'suid',
  nosuid: 'suid',
  dev: 'dev',
  nodev: 'dev',
  exec: 'exec',
  noexec: 'exec',
  sync: 'sync',
  async: 'sync',
  atime: 'atime',
  noatime: 'atime',
  diratime: 'diratime',
  nodiratime: 'diratime',
  relatime: 'relatime',
  norelatime: 'relatime',
  strictatime: 'strictatime',
  nostrictatime: 'strictatime',
  ...Object.fromEntries(
    ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable'].map((word) => [
      word,
      'propagation',
    ]),
  ),
};
const dataWords = ['mode', 'uid', 'gid', 'size', 'nr_inodes', 'nr_blocks', 'mpol'];

/** What Docker gives every tmpfs before the user's options. */
const defaults: readonly string[] = ['noexec', 'nosuid', 'nodev', DEFAULT_PROPAGATION];

/**
 * The runtime's options for a tmpfs: Docker's defaults, then the user's (`size=64m,exec`), later ones winning.
 * Throws `invalid-argument` (`invalid tmpfs option "x"`).
 */
export function tmpfsMountOptions(userOptions: string): readonly string[] {
  const chosen = new Map<string, string>();
  for (const option of [...defaults, ...userOptions.split(',')]) {
    if (option === '' || option === 'defaults') continue;
    const name = option.split('=', 1)[0] ?? '';
    const slot = Object.hasOwn(flagWords, option) ? flagWords[option] : undefined;
    if (slot === undefined && !(option.includes('=') && dataWords.includes(name))) {
      throw new WharfError('invalid-argument', `invalid tmpfs option ${JSON.stringify(name)}`);
    }
    const key = slot ?? `data ${name}`;
    chosen.delete(key);
    chosen.set(key, option);
  }
  return [...chosen.values()];
}

/** The `--tmpfs` notation of a `--mount type=tmpfs`'s options. Throws `invalid-argument` for an unknown option. */
export function tmpfsNotation(options: TmpfsOptions | null | undefined, readOnly: boolean): string {
  const words = readOnly ? ['ro'] : [];
  if (options?.Mode !== undefined && options.Mode !== 0) words.push(`mode=${options.Mode.toString(8)}`);
  if (options?.SizeBytes !== undefined && options.SizeBytes !== 0) words.push(`size=${sizeWord(options.SizeBytes)}`);
  for (const option of options?.Options ?? []) {
    const [name = '', value] = option ?? [];
    if ((option?.length ?? 0) < 1 || (option?.length ?? 0) > 2) {
      throw new WharfError('invalid-argument', 'invalid option array length');
    }
    if (name !== 'exec' && name !== 'noexec') throw new WharfError('invalid-argument', `invalid option: ${name}`);
    words.push(value === undefined ? name : `${name}=${value}`);
  }
  return words.join(',');
}

function sizeWord(bytes: number): string {
  for (const [suffix, unit] of [
    ['g', 2 ** 30],
    ['m', 2 ** 20],
    ['k', 2 ** 10],
  ] as const) {
    if (bytes % unit === 0) return `${bytes / unit}${suffix}`;
  }
  return String(bytes);
}
