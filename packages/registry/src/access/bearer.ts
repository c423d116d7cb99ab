import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import type { Principal } from './directory.ts';

/** Rights on one resource (the `access` claim of Docker's token specification). */
export interface Granted {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface Claims {
  readonly principal: Principal;
  readonly access: readonly Granted[];
  /** Seconds since the Unix epoch. */
  readonly exp: number;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** The only header there is, so a token cannot choose how it is checked. */
const HEADER = encode({ typ: 'JWT', alg: 'HS256' });

/** Makes and checks bearer tokens: JSON Web Tokens (RFC 7519) with HMAC-SHA256, by a key only this registry has. */
export class BearerTokens {
  readonly #key: Buffer;
  readonly #service: string;
  /** Milliseconds since the Unix epoch. */
  readonly #now: () => number;

  constructor(options: { readonly key: Buffer; readonly service: string; readonly now: () => number }) {
    this.#key = options.key;
    this.#service = options.service;
    this.#now = options.now;
  }

  issue(principal: Principal, access: readonly Granted[], lifeSeconds: number): string {
    const iat = Math.floor(this.#now() / 1000);
    const { kind, name } = principal;
    const claims = {
      ...{ iss: this.#service, aud: this.#service, sub: name, iat, nbf: iat - 1, exp: iat + lifeSeconds },
      ...{ jti: randomBytes(9).toString('base64url'), kind, access },
      ...(principal.kind === 'user' && principal.token !== undefined ? { via: principal.token } : {}),
    };
    const body = `${HEADER}.${encode(claims)}`;
    return `${body}.${this.#sign(body).toString('base64url')}`;
  }

  /** What a token says; `undefined` when it is not ours, was changed, is meant for another service, or is over. */
  verify(token: string): Claims | undefined {
    const dot = token.lastIndexOf('.');
    const body = token.slice(0, dot);
    if (dot < 0 || token.length > 64 * 1024 || !body.startsWith(`${HEADER}.`)) return undefined;
    const given = Buffer.from(token.slice(dot + 1), 'base64url');
    const wanted = this.#sign(body);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    // Signed by this registry, so it has the shape that `issue` gave it.
    const claims = JSON.parse(Buffer.from(body.slice(HEADER.length + 1), 'base64url').toString()) as {
      aud: string;
      exp: number;
      nbf: number;
      sub: string;
      kind: Principal['kind'];
      via?: string;
      access: readonly Granted[];
    };
    const now = this.#now() / 1000;
    if (claims.aud !== this.#service || claims.exp <= now || claims.nbf > now) return undefined;
    const { sub: name, kind, via, access, exp } = claims;
    const token_ = via === undefined ? {} : { token: via };
    const principal: Principal =
      kind === 'user' ? { kind, name, ...token_ } : kind === 'robot' ? { kind, name } : { kind, name: 'anonymous' };
    return { principal, access, exp };
  }

  #sign(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest();
  }
}

/** The signing key in that file, made at the first start. Throws `failed-precondition` for one that is no key. */
export function signingKey(path: string): Buffer {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url');
    if (key.length === 32) return key;
    throw new WharfError('failed-precondition', `Cannot use "${path}": it does not hold a key of 32 bytes`);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  const key = randomBytes(32);
  const temporary = `${path}.new`;
  const fd = openSync(temporary, 'w', 0o600);
  writeSync(fd, `${key.toString('base64url')}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
  return key;
}
