import { parseBytes } from '@wharf/kit';
import { DockerfileError } from '../location.ts';
import { didYouMean } from '../suggest.ts';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
export type CacheSharing = 'shared' | 'private' | 'locked';

/** One `RUN --mount=…` (Dockerfile reference, "RUN --mount"). */
export interface RunMount {
  readonly type: MountType;
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Of a tmpfs, in bytes; 0 for no limit of its own. */
  readonly sizeBytes: number;
  readonly id: string;
  readonly sharing: CacheSharing | undefined;
  readonly required: boolean;
  /** The variable a secret is put in; empty for the secret's own name. */
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const TYPES: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const SHARING: readonly CacheSharing[] = ['shared', 'private', 'locked'];
const KEYS = [
  ...['type', 'from', 'source', 'target', 'readonly', 'id', 'sharing', 'required', 'size', 'mode', 'uid', 'gid'],
  ...['src', 'dst', 'destination', 'ro', 'rw', 'readwrite', 'env'],
];
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
const OWNED: ReadonlySet<MountType> = new Set(['secret', 'ssh', 'cache']);

/**
 * Reads the value of a `--mount` flag. `expand` gives variables their values; without it only the form is looked at, and what may
 * hold a variable is left for later. Throws a DockerfileError for an unknown key or a value that its key cannot have.
 */
export function parseRunMount(text: string, expand?: (word: string) => string): RunMount {
  const mount: { -readonly [Key in keyof RunMount]: RunMount[Key] } = {
    ...{ type: 'bind', from: '', source: '', target: '', readOnly: false, sizeBytes: 0, id: '' },
    ...{ sharing: undefined, required: false, env: undefined, mode: undefined, uid: undefined, gid: undefined },
  };
  let readOnly: boolean | undefined;
  for (const field of csvFields(text)) {
    const at = field.indexOf('=');
    const written = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    const key = ALIASES[written] ?? written;
    if (expand === undefined) {
      if (key === 'from') refuseVariable(field.slice(at + 1));
      continue;
    }
    const value = at < 0 ? bareWord(key, field) : expand(field.slice(at + 1));
    if (key === 'readonly') readOnly = boolean(written, value);
    else if (key === 'rw' || key === 'readwrite') readOnly = !boolean(written, value);
    else set(mount, key, written, value, field);
  }
  mount.readOnly = readOnly ?? !(mount.type === 'cache' || mount.type === 'tmpfs');
  if (expand !== undefined) check(mount);
  return mount;
}

function refuseVariable(value: string): void {
  const at = value.indexOf('$');
  if (at >= 0 && at !== value.length - 1) {
    throw new DockerfileError("'from' doesn't support variable expansion, define alias stage instead");
  }
}

/** The value of a key that stands alone. */
function bareWord(key: string, field: string): string {
  if (['readonly', 'rw', 'readwrite', 'required'].includes(key)) return 'true';
  throw new DockerfileError(`invalid field '${field}' must be a key=value pair`);
}

function set(
  mount: { -readonly [Key in keyof RunMount]: RunMount[Key] },
  key: string,
  written: string,
  value: string,
  field: string,
): void {
  switch (key) {
    case 'type':
      mount.type = oneOf(value.toLowerCase(), TYPES, `unsupported mount type ${JSON.stringify(value)}`);
      return;
    case 'from':
    case 'source':
    case 'target':
    case 'id':
    case 'env':
      mount[key] = value;
      return;
    case 'sharing':
      mount.sharing = oneOf(value.toLowerCase(), SHARING, `unsupported sharing value ${JSON.stringify(value)}`);
      return;
    case 'required':
      only(mount, key, ['secret', 'ssh']);
      mount.required = boolean(written, value);
      return;
    case 'size':
      only(mount, key, ['tmpfs']);
      mount.sizeBytes = size(written, value);
      return;
    case 'mode':
      mount.mode = number(value, /^[0-7]+$/, 8, `invalid value ${value} for mode`);
      return;
    case 'uid':
    case 'gid':
      mount[key] = number(value, /^[0-9]+$/, 10, `invalid value ${value} for ${key}`);
      return;
    default:
      throw new DockerfileError(`unexpected key '${written}' in '${field}'${didYouMean(written, KEYS)}`);
  }
}

function check(mount: RunMount): void {
  for (const key of ['mode', 'uid', 'gid'] as const) {
    if (mount[key] !== undefined && !OWNED.has(mount.type)) {
      throw new DockerfileError(`${key} not allowed for "${mount.type}" type mounts`);
    }
  }
  if (mount.type === 'secret') checkSecret(mount);
  if (mount.sharing !== undefined && mount.type !== 'cache') {
    throw new DockerfileError(`invalid cache sharing set for ${mount.type} mount`);
  }
}

function checkSecret(mount: RunMount): void {
  if (mount.from !== '') throw new DockerfileError('secret mount should not have a from');
  if (mount.sharing !== undefined) throw new DockerfileError('secret mount should not define sharing');
  if (mount.source === '' && mount.target === '' && mount.id === '') {
    throw new DockerfileError('invalid secret mount. one of source, target required');
  }
  if (mount.source !== '' && mount.id !== '') throw new DockerfileError("both source and id can't be set");
}

function only(mount: RunMount, key: string, types: readonly MountType[]): void {
  if (!types.includes(mount.type)) throw new DockerfileError(`unexpected key '${key}' for mount type '${mount.type}'`);
}

function oneOf<T extends string>(value: string, allowed: readonly T[], message: string): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new DockerfileError(`${message}${didYouMean(value, allowed)}`);
  return found;
}

/** As Go's strconv.ParseBool. */
function boolean(key: string, value: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new DockerfileError(`invalid value for ${key}: ${value}`);
}

function number(value: string, form: RegExp, base: number, message: string): number {
  const parsed = form.test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(parsed < 2 ** 32)) throw new DockerfileError(message);
  return parsed;
}

function size(key: string, value: string): number {
  try {
    return parseBytes(value);
  } catch {
    throw new DockerfileError(`invalid value for ${key}: ${value}`);
  }
}

/** The fields of one line of CSV (RFC 4180): a field in double quotes may hold commas. */
export function csvFields(line: string): readonly string[] {
  const fields: string[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '"') {
      const field = quotedField(line, at);
      fields.push(field.text);
      if (line[field.end] !== ',') break;
      at = field.end + 1;
      continue;
    }
    const end = line.indexOf(',', at);
    const field = line.slice(at, end < 0 ? undefined : end);
    if (field.includes('"')) throw new DockerfileError('failed to parse csv mounts: bare " in non-quoted-field');
    fields.push(field);
    if (end < 0) break;
    at = end + 1;
  }
  return fields;
}

/** A field in quotes that begins at `at`; two quotes in it are one. */
function quotedField(line: string, at: number): { readonly text: string; readonly end: number } {
  const parts: string[] = [];
  for (let from = at + 1; ; ) {
    const quote = line.indexOf('"', from);
    if (quote < 0) break;
    parts.push(line.slice(from, quote));
    const next = line[quote + 1];
    if (next === undefined || next === ',') return { text: parts.join('"'), end: quote + 1 };
    if (next !== '"') break;
    from = quote + 2;
  }
  throw new DockerfileError('failed to parse csv mounts: extraneous or missing " in quoted-field');
}
