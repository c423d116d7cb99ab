import { ConfigFile, type ConfigValues, type StoredLogin } from './config-file.ts';
import { CredentialHelper, usualHelper } from './credential-helper.ts';

/** How a user is known to a registry, in the Engine API's words. All empty is nobody. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  readonly identitytoken: string;
}

/** The name Docker's own registry has in logins. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

const NOBODY: RegistryLogin = { username: '', password: '', identitytoken: '' };
/** The user a helper names when the secret is a token (docker-credential-helpers). */
const TOKEN_USER = '<token>';

/** The client's configuration: logins, credential helpers and proxies. */
export class DockerConfig {
  readonly #file: ConfigFile;
  readonly #env: NodeJS.ProcessEnv;
  readonly #asked = new Map<string, Promise<RegistryLogin>>();

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#env = env;
    this.#file = ConfigFile.read(env);
  }

  get values(): ConfigValues {
    return this.#file.values;
  }

  get path(): string {
    return this.#file.path;
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

  /** The value of `X-Registry-Auth` for a registry's host (Engine API, "Authentication"). */
  async registryAuth(host: string): Promise<string> {
    return encodeAuth({ ...(await this.login(host)), serveraddress: this.#keyOf(host) });
  }

  /** Keeps a login. Returns whether a password now stands in the file, readable. */
  async store(server: string, login: RegistryLogin): Promise<boolean> {
    this.#asked.clear();
    const { username, password, identitytoken } = login;
    const helper = this.#helperFor(server);
    if (helper !== undefined) {
      if (identitytoken === '') await helper.store(server, username, password);
      else await helper.store(server, TOKEN_USER, identitytoken);
    }
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const stored: StoredLogin =
      helper === undefined ? { auth, ...(identitytoken === '' ? {} : { identitytoken }) } : {};
    const { auths = {} } = this.#file.values;
    if (JSON.stringify(auths[server]) === JSON.stringify(stored)) return false;
    const all = { ...auths, [server]: stored };
    // Docker writes them sorted.
    const sorted = Object.keys(all).toSorted();
    this.#file.change({ auths: Object.fromEntries(sorted.map((name) => [name, all[name] ?? {}])) });
    return helper === undefined && password !== '';
  }

  /** Forgets a login; one that is not there is none to forget. Throws what a helper complains of. */
  async erase(server: string): Promise<void> {
    this.#asked.clear();
    await this.#helperFor(server)?.erase(server);
    const { [server]: stored, ...auths } = this.#file.values.auths ?? {};
    if (stored !== undefined) this.#file.change({ auths });
  }

  /** Build arguments for the proxies that the configuration names for a daemon, both spellings (docker, "proxies"). */
  proxyArguments(daemon: string): Readonly<Record<string, string>> {
    const { proxies } = this.#file.values;
    const settings = proxies?.[daemon] ?? proxies?.['default'] ?? {};
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

  #helperFor(key: string): CredentialHelper | undefined {
    const { auths = {}, credsStore = '', credHelpers = {} } = this.#file.values;
    const name = credHelpers[key] ?? credsStore;
    if (name !== '') return new CredentialHelper(name, this.#env);
    const isBlank = Object.keys(auths).length === 0 && Object.keys(credHelpers).length === 0;
    const usual = isBlank ? usualHelper(this.#env) : undefined;
    return usual === undefined ? undefined : new CredentialHelper(usual, this.#env);
  }

  async #find(key: string): Promise<RegistryLogin> {
    const found = await this.#helperFor(key)?.get(key);
    if (found !== undefined) return loginOfHelper(found);
    const stored = this.#file.values.auths?.[key];
    return stored === undefined ? NOBODY : loginOf(stored);
  }

  /** The name that the file has the registry under: with a scheme and path, in files of old. */
  #keyOf(host: string): string {
    const { auths = {}, credHelpers = {} } = this.#file.values;
    const names = [...Object.keys(credHelpers), ...Object.keys(auths)];
    const exact = names.find((name) => name === host);
    const known = exact ?? names.find((name) => hostOf(name) === canonical(host));
    return known ?? (canonical(host) === 'docker.io' ? DOCKER_HUB_KEY : host);
  }
}

/** The value of `X-Registry-Auth`: base64 for URLs with its padding, as dockerd wants it; what is empty is left out. */
export function encodeAuth(login: Readonly<Record<string, string>>): string {
  const filled = Object.fromEntries(Object.entries(login).filter(([, value]) => value !== ''));
  const text = JSON.stringify(filled);
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function loginOfHelper({ Username = '', Secret = '' }: { readonly Username?: string; readonly Secret?: string }) {
  return Username === TOKEN_USER
    ? { username: '', password: '', identitytoken: Secret }
    : { username: Username, password: Secret, identitytoken: '' };
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

/** A registry's host as `docker login` takes it apart: without a scheme, without a path. */
export function hostOf(name: string): string {
  return canonical(name.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
}

/** Docker's own registry goes by several names: that of references, that of its API, and the one logins are kept under. */
function canonical(host: string): string {
  return host.replace(/^(?:index|registry-1)\.(?=docker\.io$)/, '');
}
