import { createHmac, randomBytes } from 'node:crypto';
import { registryError } from '../errors.ts';
import { MAX_REMEMBERED, REMEMBER_PASSWORD_MS } from '../limits.ts';
import type { Directory, Principal } from './directory.ts';
import { verifyPassword, verifySecret } from './secrets.ts';
import { Throttle } from './throttle.ts';

/** Personal and refresh tokens look so: `wharf_<id>_<secret>`. */
const TOKEN = /^wharf_([a-z0-9]{16})_([A-Za-z0-9_-]{43})$/;

interface Remembered {
  /** The stored hash it was right for: another password makes it worthless. */
  readonly hash: string;
  readonly until: number;
}

/** Checks names with passwords, personal tokens and robots' secrets. */
export class Authenticator {
  readonly #directory: Directory;
  readonly #throttle: Throttle;
  readonly #remembered = new Map<string, Remembered>();
  readonly #key = randomBytes(32);

  constructor(directory: Directory) {
    this.#directory = directory;
    this.#throttle = new Throttle(directory.now);
  }

  /** Who this is. Throws `UNAUTHORIZED`, or `TOOMANYREQUESTS` after many failures. */
  async login(name: string, password: string, address: string): Promise<Principal> {
    const known = this.#fromMemory(name, password);
    if (known !== undefined) return known;
    this.#mayTry(name, address);
    const found = await this.#check(name, password);
    if (found === undefined) throw this.#failed(name, address);
    this.#throttle.succeeded(name, address);
    return found;
  }

  /** The principal of a refresh token. Throws as `login`. */
  refresh(text: string, address: string): Principal {
    // Counted for the token, not for all of them together: a stranger's guesses must not keep others out.
    const name = `token ${TOKEN.exec(text)?.[1] ?? ''}`;
    this.#mayTry(name, address);
    const found = this.#checkToken(text, undefined);
    if (found === undefined) throw this.#failed(name, address);
    return found;
  }

  /** A refusal that is counted. */
  #failed(name: string, address: string): Error {
    this.#throttle.failed(name, address);
    return registryError('UNAUTHORIZED', 'incorrect username or password');
  }

  #mayTry(name: string, address: string): void {
    const waitMs = this.#throttle.waitMs(name, address);
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw registryError('TOOMANYREQUESTS', `too many failed logins: try again in ${seconds} s`, {
      headers: { 'Retry-After': String(seconds) },
    });
  }

  #fromMemory(name: string, password: string): Principal | undefined {
    const found = this.#remembered.get(this.#memoryKey(name, password));
    const user = this.#directory.users.get(name.slice(0, 128));
    if (found === undefined || user?.password !== found.hash || user.isDisabled) return undefined;
    return found.until > this.#directory.now() ? { kind: 'user', name } : undefined;
  }

  async #check(name: string, password: string): Promise<Principal | undefined> {
    if (name === '' || name.length > 128 || password.length > 4096) return undefined;
    const directory = this.#directory;
    if (TOKEN.test(password)) return this.#checkToken(password, name);
    if (name.includes('+')) {
      const robot = directory.robots.get(name);
      const principal = { kind: 'robot', name } as const;
      return robot !== undefined && verifySecret(password, robot.secret) && directory.isLive(principal)
        ? principal
        : undefined;
    }
    const user = directory.users.get(name);
    if (!(await verifyPassword(password, user?.password)) || user === undefined || user.isDisabled) return undefined;
    // Basic comes with every request of some clients, and hashing takes long on purpose.
    this.#remembered.set(this.#memoryKey(name, password), {
      hash: user.password,
      until: directory.now() + REMEMBER_PASSWORD_MS,
    });
    for (const key of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(key);
    }
    return { kind: 'user', name };
  }

  #checkToken(text: string, owner: string | undefined): Principal | undefined {
    const [, id = '', secret = ''] = TOKEN.exec(text) ?? [];
    const token = id === '' ? undefined : this.#directory.tokens.get(id);
    if (token === undefined || !verifySecret(secret, token.secret)) return undefined;
    // `<token>` is what docker sends as the name with a refresh token.
    if (owner !== undefined && owner !== token.owner && owner !== '<token>') return undefined;
    const principal: Principal = { kind: 'user', name: token.owner, token: id };
    return this.#directory.isLive(principal) ? principal : undefined;
  }

  #memoryKey(name: string, password: string): string {
    return createHmac('sha256', this.#key).update(`${name.length}:${name}${password}`).digest('base64');
  }
}
