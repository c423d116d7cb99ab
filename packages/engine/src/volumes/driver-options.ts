import { WharfError } from '@wharf/kit';
import { MS } from '@wharf/linux/mount';

export type DriverOptions = Readonly<Record<string, string>>;

const known = ['type', 'o', 'device', 'size'];
const needs: Readonly<Record<string, readonly string[]>> = {
  device: ['type'],
  type: ['device'],
  o: ['device', 'type'],
};

/** Checks the local driver's options (`docker volume create -o`). Throws `invalid-argument` in Docker's words. */
export function checkDriverOptions(options: DriverOptions): void {
  const bad = (message: string) => new WharfError('invalid-argument', message);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw bad(`invalid option: ${JSON.stringify(name)}`);
  }
  if (options.size !== undefined) parseSize(options.size);
  for (const [name, others] of Object.entries(needs)) {
    const missing = options[name] === undefined ? undefined : others.find((other) => options[other] === undefined);
    if (missing !== undefined) throw bad(`missing required option: ${JSON.stringify(missing)}`);
  }
}

/** Bytes of a size as Docker writes it: `10m`, `1.5GB`, `4096`. Throws `invalid-argument` (`invalid size: 'x'`). */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw new WharfError('invalid-argument', `invalid size: '${text}'`);
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((match[2] ?? '').toLowerCase());
  return Math.floor(Number(match[1]) * 1024 ** power);
}

/** True when the volume's data is what a mount over `_data` shows. */
export function needsMount(options: DriverOptions | null): options is DriverOptions {
  return options !== null && Boolean(options.device || options.type);
}

/** The mount may wait for another machine: it must not be made on the event loop. */
export function isNetworkMount(options: DriverOptions | null): boolean {
  return /^(nfs|nfs4|cifs|smb3|ceph|9p|fuse.*)$/.test(options?.type ?? '');
}

const REC = MS.REC;
const setting: Readonly<Record<string, number>> = {
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
  sync: MS.SYNCHRONOUS,
  noatime: MS.NOATIME,
  nodiratime: MS.NODIRATIME,
  relatime: MS.RELATIME,
  strictatime: MS.STRICTATIME,
  bind: MS.BIND,
  rbind: MS.BIND | REC,
};
const clearing: Readonly<Record<string, number>> = {
  rw: MS.RDONLY,
  suid: MS.NOSUID,
  dev: MS.NODEV,
  exec: MS.NOEXEC,
  async: MS.SYNCHRONOUS,
  atime: MS.NOATIME,
  diratime: MS.NODIRATIME,
  norelatime: MS.RELATIME,
  nostrictatime: MS.STRICTATIME,
};
const propagation: Readonly<Record<string, number>> = {
  private: MS.PRIVATE,
  rprivate: MS.PRIVATE | REC,
  slave: MS.SLAVE,
  rslave: MS.SLAVE | REC,
  shared: MS.SHARED,
  rshared: MS.SHARED | REC,
  unbindable: MS.UNBINDABLE,
  runbindable: MS.UNBINDABLE | REC,
};

export interface ParsedMountOptions {
  readonly flags: number;
  readonly propagation: number;
  readonly data: string;
  /** The device is a file. */
  readonly loop: boolean;
}

/** Splits mount(8)'s `-o` words into mount(2)'s flags, a change of propagation, and what the filesystem reads itself. */
export function parseMountOptions(words: string): ParsedMountOptions {
  let flags = 0;
  let propagationFlags = 0;
  let loop = false;
  const data: string[] = [];
  for (const word of words.split(',')) {
    if (word === '' || word === 'defaults') continue;
    if (Object.hasOwn(setting, word)) flags |= setting[word] ?? 0;
    else if (Object.hasOwn(clearing, word)) flags &= ~(clearing[word] ?? 0);
    else if (Object.hasOwn(propagation, word)) propagationFlags |= propagation[word] ?? 0;
    else if (word === 'loop') loop = true;
    else data.push(word);
  }
  return { flags, propagation: propagationFlags, data: data.join(','), loop };
}
