import { readFileSync } from 'node:fs';
import { hasErrno, messageOf, WharfError } from '@wharf/kit/errors';
import { type ClientEnvironment, clientConfigDirectory } from '@wharf/wire/docker-client/config-directory';

/** What is known of the file's keys. Others are kept as they are. */
export interface ConfigValues {
  readonly auths?: Readonly<Record<string, StoredLogin>>;
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly statsFormat?: string;
  readonly detachKeys?: string;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly pruneFilters?: readonly string[];
  readonly proxies?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly currentContext?: string;
}

export interface StoredLogin {
  /** Base64 of `USER:PASSWORD`. */
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/**
 * `config.json` of the client, which docker's own client reads and writes too.
 *
 * - A file that is not there is an empty one.
 * - A change is written at once: to a temporary file that takes the place of the old one, or of what a symbolic link leads to.
 */
export class ConfigFile {
  readonly path: string;
  #values: ConfigValues;

  private constructor(path: string, values: ConfigValues) {
    this.path = path;
    this.#values = values;
  }

  /** Throws `invalid-argument` where it is no JSON, `permission-denied` where it cannot be read. */
  static read(env: ClientEnvironment = process.env): ConfigFile {
    const path = `${clientConfigDirectory(env)}/config.json`;
    return new ConfigFile(path, readValues(path));
  }

  get values(): ConfigValues {
    return this.#values;
  }

  /** Sets keys; `undefined` takes one out. */
  change(changes: { readonly [Key in keyof ConfigValues]?: ConfigValues[Key] | undefined }): void {
    // Somebody else may have written it since it was read.
    const now: Record<string, unknown> = { auths: {}, ...readValues(this.path) };
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) delete now[key];
      else now[key] = value;
    }
    this.#values = now as ConfigValues;
    writeConfig(this.path, JSON.stringify(now, null, '\t'));
  }
}

function readValues(path: string): ConfigValues {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return {};
    throw new WharfError('permission-denied', `Cannot read "${path}": ${messageOf(error)}`, { cause: error });
  }
  try {
    return text.trim() === '' ? {} : (JSON.parse(text) as ConfigValues);
  } catch (error) {
    throw new WharfError('invalid-argument', `Cannot read "${path}": ${messageOf(error)}`, {
      cause: error,
      hint: 'Mend it, or move it away: logins and the context in use are in it.',
    });
  }
}

function writeConfig(path: string, text: string): void {
  const fs = process.getBuiltinModule('node:fs');
  const { dirname } = process.getBuiltinModule('node:path');
  try {
    fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    replaceFile(linkTarget(path), text, 0o600);
  } catch (error) {
    throw new WharfError('permission-denied', `Cannot write "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/** Puts a file in the place of another, which is whole at every moment and keeps its owner and mode. */
export function replaceFile(path: string, content: string | Uint8Array, mode: number): void {
  const fs = process.getBuiltinModule('node:fs');
  const temporary = `${path}${process.pid}.tmp`;
  fs.rmSync(temporary, { force: true });
  const fd = fs.openSync(temporary, 'wx', mode);
  try {
    const old = fs.statSync(path, { throwIfNoEntry: false });
    if (old !== undefined) {
      fs.fchmodSync(fd, old.mode & 0o777);
      if (old.uid !== process.getuid?.() || old.gid !== process.getgid?.()) fs.fchownSync(fd, old.uid, old.gid);
    }
    fs.writeFileSync(fd, content);
    fs.fsyncSync(fd);
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** Where symbolic links lead, there or not. */
function linkTarget(path: string): string {
  const fs = process.getBuiltinModule('node:fs');
  const { dirname, resolve } = process.getBuiltinModule('node:path');
  let at = path;
  for (let hops = 0; hops < 16; hops += 1) {
    if (fs.lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return at;
    at = resolve(dirname(at), fs.readlinkSync(at));
  }
  return at;
}
