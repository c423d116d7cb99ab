import { resolve } from 'node:path';
import { parseBytes } from '@wharf/kit/bytes';
import { parseGoCsv } from '@wharf/kit/go-csv';
import { parseGoBoolean, parseGoInteger } from '@wharf/kit/go-numbers';
import { cut } from './pairs.ts';
import { refuse } from './refuse.ts';

/** A mount as the Engine API has it; what is empty is left out, as docker's client does. */
export interface Mount {
  Type?: string;
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: BindOptions;
  VolumeOptions?: VolumeOptions;
  ImageOptions?: { Subpath?: string };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

interface BindOptions {
  Propagation?: string;
  NonRecursive?: boolean;
  ReadOnlyNonRecursive?: boolean;
  ReadOnlyForceRecursive?: boolean;
}

interface VolumeOptions {
  NoCopy?: boolean;
  Labels?: Record<string, string>;
  Subpath?: string;
  DriverConfig: { Name?: string; Options?: Record<string, string> };
}

export interface ParsedMount {
  readonly mount: Mount;
  readonly warnings: readonly string[];
}

/** Reads `--mount type=…,source=…,target=…`; a source that begins with a dot is below `directory`. Throws in docker's words. */
export function parseMount(text: string, directory: string): ParsedMount {
  const mount: Mount = { Type: 'volume' };
  const warnings: string[] = [];
  for (const field of parseGoCsv(text)) {
    const { before, after, found } = cut(field, '=');
    const key = before.toLowerCase();
    if (!found) setBare(mount, key, field);
    else set(mount, { key, value: after, field, directory, warnings });
  }
  check(mount);
  return { mount: withoutEmpty(mount), warnings };
}

function setBare(mount: Mount, key: string, field: string): void {
  if (key === 'readonly' || key === 'ro') mount.ReadOnly = true;
  else if (key === 'volume-nocopy') volumeOptions(mount).NoCopy = true;
  else if (key === 'bind-nonrecursive') bindOptions(mount).NonRecursive = true;
  else throw refuse(`invalid field '${field}' must be a key=value pair`);
}

interface Setting {
  readonly key: string;
  readonly value: string;
  readonly field: string;
  readonly directory: string;
  readonly warnings: string[];
}

function set(mount: Mount, setting: Setting): void {
  const { key, value, field, directory } = setting;
  switch (key) {
    case 'type':
      mount.Type = value.toLowerCase();
      return;
    case 'source':
    case 'src':
      mount.Source = value.startsWith('.') ? resolve(directory, value) : value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = value;
      return;
    case 'readonly':
    case 'ro':
      mount.ReadOnly = truth(key, value);
      return;
    case 'consistency':
      mount.Consistency = value.toLowerCase();
      return;
    default:
      if (key.startsWith('bind-')) setBind(mount, setting);
      else if (key.startsWith('volume-')) setVolume(mount, setting);
      else if (key.startsWith('tmpfs-')) setTmpfs(mount, setting);
      else if (key === 'image-subpath') mount.ImageOptions = { Subpath: value };
      else throw unexpected(key, field);
  }
}

function setBind(mount: Mount, { key, value, field, warnings }: Setting): void {
  if (key === 'bind-propagation') bindOptions(mount).Propagation = value.toLowerCase();
  else if (key === 'bind-nonrecursive') {
    bindOptions(mount).NonRecursive = truth(key, value);
    warnings.push('bind-nonrecursive is deprecated, use bind-recursive=disabled instead');
  } else if (key === 'bind-recursive') {
    if (value === 'disabled') bindOptions(mount).NonRecursive = true;
    else if (value === 'writable') bindOptions(mount).ReadOnlyNonRecursive = true;
    else if (value === 'readonly') bindOptions(mount).ReadOnlyForceRecursive = true;
    else if (value !== 'enabled') {
      const values = 'must be "enabled", "disabled", "writable", or "readonly"';
      throw refuse(`invalid value for ${key}: ${value} (${values})`);
    }
  } else throw unexpected(key, field);
}

function setVolume(mount: Mount, { key, value, field }: Setting): void {
  switch (key) {
    case 'volume-subpath':
      volumeOptions(mount).Subpath = value;
      return;
    case 'volume-nocopy':
      volumeOptions(mount).NoCopy = truth(key, value);
      return;
    case 'volume-label':
      volumeOptions(mount).Labels = { ...volumeOptions(mount).Labels, ...pair(value) };
      return;
    case 'volume-driver':
      driver(mount).Name = value;
      return;
    case 'volume-opt':
      driver(mount).Options = { ...driver(mount).Options, ...pair(value) };
      return;
    default:
      throw unexpected(key, field);
  }
}

function setTmpfs(mount: Mount, { key, value, field }: Setting): void {
  mount.TmpfsOptions ??= {};
  const options = mount.TmpfsOptions;
  const read = (parse: () => number): number => {
    try {
      return parse();
    } catch {
      throw refuse(`invalid value for ${key}: ${value}`);
    }
  };
  if (key === 'tmpfs-size') options.SizeBytes = read(() => parseBytes(value));
  else if (key === 'tmpfs-mode') {
    options.Mode = read(() => Number(parseGoInteger(value, { as: 'ParseUint', base: 8, bits: 32 })));
  } else throw unexpected(key, field);
}

function check({
  Type = '',
  Target = '',
  ReadOnly,
  BindOptions,
  VolumeOptions,
  ImageOptions,
  TmpfsOptions,
}: Mount): void {
  if (Type === '') throw refuse('type is required');
  if (Target === '') throw refuse('target is required');
  const options = { volume: VolumeOptions, image: ImageOptions, bind: BindOptions, tmpfs: TmpfsOptions };
  for (const [kind, given] of Object.entries(options)) {
    if (given !== undefined && Type !== kind) throw refuse(`cannot mix '${kind}-*' options with mount type '${Type}'`);
  }
  const needs = (option: string, other: string): WharfRefusal =>
    refuse(`option '${option}' requires '${other}' to be specified in conjunction`);
  if (BindOptions?.ReadOnlyNonRecursive === true && ReadOnly !== true) {
    throw needs('bind-recursive=writable', 'readonly');
  }
  if (BindOptions?.ReadOnlyForceRecursive === true) {
    if (ReadOnly !== true) throw needs('bind-recursive=readonly', 'readonly');
    if (BindOptions.Propagation !== 'rprivate') throw needs('bind-recursive=readonly', 'bind-propagation=rprivate');
  }
}

type WharfRefusal = ReturnType<typeof refuse>;

function bindOptions(mount: Mount): BindOptions {
  mount.BindOptions ??= {};
  return mount.BindOptions;
}

function volumeOptions(mount: Mount): VolumeOptions {
  mount.VolumeOptions ??= { DriverConfig: {} };
  return mount.VolumeOptions;
}

function driver(mount: Mount): VolumeOptions['DriverConfig'] {
  return volumeOptions(mount).DriverConfig;
}

function pair(text: string): Readonly<Record<string, string>> {
  const { before, after } = cut(text, '=');
  return before === '' ? {} : { [before]: after };
}

function truth(key: string, value: string): boolean {
  try {
    return parseGoBoolean(value);
  } catch {
    throw refuse(`invalid value for ${key}: ${value}`);
  }
}

function unexpected(key: string, field: string): WharfRefusal {
  return refuse(`unexpected key '${key}' in '${field}'`);
}

/** Go's `omitempty`, which keeps an options object that is there even when nothing is in it. */
function withoutEmpty(mount: Mount): Mount {
  const clean = (value: object): object =>
    Object.fromEntries(
      Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
        if (inner === '' || inner === false || inner === 0) return [];
        if (typeof inner !== 'object' || inner === null) return [[key, inner]];
        if ((key === 'Labels' || key === 'Options') && Object.keys(inner).length === 0) return [];
        return [[key, key === 'Labels' || key === 'Options' ? inner : clean(inner)]];
      }),
    );
  return clean(mount);
}
