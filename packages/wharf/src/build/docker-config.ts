import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { clientConfigDirectory } from '../endpoint.ts';
import { HELPER_TIMEOUT_MS } from './limits.ts';

/** How a user is known to a registry, in the Engine API's words. All empty is nobody. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  readonly identitytoken: string;
}

interface ConfigFile {
  readonly auths?: Readonly<Record<string, StoredLogin>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly proxies?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface StoredLogin {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

const NOBODY: RegistryLogin = { username: '', password: '', identitytoken: '' };
/** What a helper says of a registry it does not know, and the user it names when the secret is a token (docker-credential-helpers). */
const NOT_FOUND = /credentials not found/i;
const TOKEN_USER = '<token>';

/** The client's configuration: logins, credential helpers and proxies. */
export class DockerConfig {
  readonly #file: ConfigFile;
  readonly #env: NodeJS.ProcessEnv;
  readonly #asked = new Map<string, Promise<RegistryLogin>>();

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
    this.#file = readConfig(join(clientConfigDirectory(env), 'config.json'));
  }

  /** The login for a registry, from its helper, the store, or the file; each is asked once. Throws what a helper complains of. */
  login(host: string): Promise<RegistryLogin> {
    const key = this.#keyOf(host);
    let found = this.#asked.get(key);
    if (found === undefined) {
      found = this.#find(key);
      this.#asked.set(key, found);
    }
    return found;
  }

  /** Build arguments for the proxies that the configuration names for a daemon, both spellings (docker, "proxies"). */
  proxyArguments(daemon: string): Readonly<Record<string, string>> {
    const settings = this.#file.proxies?.[daemon] ?? this.#file.proxies?.['default'] ?? {};
    const names: Readonly<Record<string, string>> = {
      httpProxy: 'HTTP_PROXY',
      httpsProxy: 'HTTPS_PROXY',
      ftpProxy: 'FTP_PROXY',
      noProxy: 'NO_PROXY',
      allProxy: 'ALL_PROXY',
    };
    return Object.fromEntries(
      Object.entries(names).flatMap(([key, name]) => {
        const value = settings[key];
        if (!value) return [];
        return [
          [name, value],
          [name.toLowerCase(), value],
        ];
      }),
    );
  }

  async #find(key: string): Promise<RegistryLogin> {
    const helper = this.#file.credHelpers?.[key] ?? this.#file.credsStore;
    if (helper !== undefined && helper !== '') {
      const found = await askHelper(helper, key, this.#env);
      if (found !== undefined) return found;
    }
    const stored = this.#file.auths?.[key];
    return stored === undefined ? NOBODY : loginOf(stored);
  }

  /** The name that the file has the registry under: with a scheme and path, in files of old. */
  #keyOf(host: string): string {
    const names = [...Object.keys(this.#file.credHelpers ?? {}), ...Object.keys(this.#file.auths ?? {})];
    const exact = names.find((name) => name === host);
    return exact ?? names.find((name) => hostOf(name) === canonical(host)) ?? host;
  }
}

function readConfig(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return {};
    throw new WharfError('permission-denied', `Cannot read "${path}": ${messageOf(error)}`, { cause: error });
  }
  try {
    return text.trim() === '' ? {} : (JSON.parse(text) as ConfigFile);
  } catch (error) {
    throw new WharfError('invalid-argument', `Cannot read "${path}": ${messageOf(error)}`, { cause: error });
  }
}

function loginOf({ auth = '', username, password, identitytoken = '' }: StoredLogin): RegistryLogin {
  const pair = Buffer.from(auth, 'base64').toString('utf8').replaceAll('\0', '');
  const colon = pair.indexOf(':');
  return {
    username: username || pair.slice(0, Math.max(0, colon)),
    password: password || (colon < 0 ? '' : pair.slice(colon + 1)),
    identitytoken,
  };
}

function hostOf(name: string): string {
  return canonical(name.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
}

/** Docker's own registry goes by several names: that of references, that of its API, and the one logins are kept under. */
function canonical(host: string): string {
  return host.replace(/^(?:index|registry-1)\.(?=docker\.io$)/, '');
}

/** Runs `docker-credential-NAME get` (docker-credential-helpers). `undefined` when it knows nobody. */
async function askHelper(name: string, key: string, env: NodeJS.ProcessEnv): Promise<RegistryLogin | undefined> {
  const program = `docker-credential-${name}`;
  const { code, stdout, stderr } = await runHelper(program, key, env);
  if (code !== 0) {
    if (NOT_FOUND.test(stdout) || NOT_FOUND.test(stderr)) return undefined;
    throw new WharfError(
      'unavailable',
      `Cannot get credentials for "${key}": ${program} failed: ${(stdout || stderr).trim()}`,
    );
  }
  const { Username = '', Secret = '' } = JSON.parse(stdout) as { readonly Username?: string; readonly Secret?: string };
  return Username === TOKEN_USER
    ? { username: '', password: '', identitytoken: Secret }
    : { username: Username, password: Secret, identitytoken: '' };
}

function runHelper(program: string, key: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve, reject) => {
    const child = spawn(program, ['get'], { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: HELPER_TIMEOUT_MS });
    const texts = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString('utf8')));
    child.once('error', (error) => {
      const hint = hasErrno(error, 'ENOENT')
        ? `Install ${program}, or take it out of the client's config.json.`
        : undefined;
      const why = hasErrno(error, 'ENOENT') ? `there is no ${program}` : messageOf(error);
      reject(
        new WharfError('unavailable', `Cannot get credentials for "${key}": ${why}`, {
          cause: error,
          ...(hint ? { hint } : {}),
        }),
      );
    });
    child.once('close', (code) => resolve({ code: code ?? 1, ...texts }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(key);
  });
}
