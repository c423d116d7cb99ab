import { registryError } from '../errors.ts';
import { MAX_REMEMBERED } from '../limits.ts';
import type { Access, AccessRequest, Action, Identity } from '../plug/access.ts';
import type { Authenticator } from './authenticator.ts';
import type { BearerTokens, Claims } from './bearer.ts';
import { ANONYMOUS, type Directory, type Principal } from './directory.ts';

export interface DirectoryAccessOptions {
  readonly directory: Directory;
  readonly authenticator: Authenticator;
  readonly tokens: BearerTokens;
  readonly service: string;
  /** Where tokens are to be had, for who came by that host name. */
  readonly realm: (host: string | undefined) => string;
  /** False while everybody may do everything. */
  readonly isOn: () => boolean;
  /** Throws `TOOMANYREQUESTS` for too many requests of one principal or address. */
  readonly admit: (principal: Principal, address: string) => void;
}

const EVERYBODY: Identity = { name: 'anonymous', anonymous: true, allows: () => true };
const BEARER = /^bearer +(\S+)$/i;
const BASIC = /^basic +(\S+)$/i;

/** Who asks, by the directory: bearer tokens, Basic, client certificates, or nobody in particular. */
export class DirectoryAccess implements Access {
  readonly #options: DirectoryAccessOptions;
  /** Tokens that were found right, and who comes with them. */
  readonly #known = new Map<string, { readonly claims: Claims; readonly identity: Identity }>();

  constructor(options: DirectoryAccessOptions) {
    this.#options = options;
  }

  identify(request: AccessRequest): Identity | Promise<Identity> {
    const { authorization, remoteAddress } = request;
    if (!this.#options.isOn()) {
      this.#options.admit(ANONYMOUS, remoteAddress);
      return EVERYBODY;
    }
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token !== undefined) {
      const { claims, identity } = this.#bearer(token, request);
      this.#options.admit(claims.principal, remoteAddress);
      return identity;
    }
    const basic = BASIC.exec(authorization ?? '')?.[1];
    if (basic !== undefined) return this.#basic(basic, request);
    if (authorization !== undefined) throw this.#unauthorized(request, 'this kind of authorization is not supported');
    const principal = this.#certified(request) ?? ANONYMOUS;
    this.#options.admit(principal, remoteAddress);
    return this.#identity(principal);
  }

  challenge(wanted: { readonly action: Action; readonly repository: string }, request: AccessRequest) {
    const { isOn, directory, realm, service } = this.#options;
    if (!isOn()) return undefined;
    const { action, repository } = wanted;
    const host = request.headers['host'];
    const fields = [`realm="${realm(typeof host === 'string' ? host : undefined)}"`, `service="${service}"`];
    const scope = scopeOf(action, repository);
    if (scope !== undefined) fields.push(`scope="${scope}"`);
    const token = BEARER.exec(request.authorization ?? '')?.[1];
    if (token !== undefined) {
      const principal = this.#known.get(token)?.claims.principal ?? ANONYMOUS;
      // Another token helps who may do it, and who is nobody yet may log in.
      if (principal.kind !== 'anonymous' && !directory.permits(principal, action, repository)) return undefined;
      fields.push('error="insufficient_scope"');
    } else if (request.authorization !== undefined) return undefined;
    return `Bearer ${fields.join(',')}`;
  }

  /** The user of a client's certificate that the server's authority vouches for. */
  #certified({ certificateName }: AccessRequest): Principal | undefined {
    if (certificateName === undefined) return undefined;
    const principal: Principal = { kind: 'user', name: certificateName };
    return this.#options.directory.isLive(principal) ? principal : undefined;
  }

  #bearer(token: string, request: AccessRequest): { readonly claims: Claims; readonly identity: Identity } {
    const { directory, tokens } = this.#options;
    const known = this.#known.get(token);
    if (known !== undefined && known.claims.exp * 1000 > directory.now()) return known;
    const claims = tokens.verify(token);
    if (claims === undefined) throw this.#unauthorized(request, 'the token is not valid, or no longer');
    const { principal, access } = claims;
    const identity: Identity = {
      name: principal.name,
      anonymous: principal.kind === 'anonymous',
      // Both what was granted then and what holds now.
      allows: (action, repository) =>
        grants(access, action, repository) && directory.permits(principal, action, repository),
    };
    const entry = { claims, identity };
    this.#known.set(token, entry);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return entry;
  }

  async #basic(encoded: string, request: AccessRequest): Promise<Identity> {
    const { authenticator, admit } = this.#options;
    const [name, password] = splitBasic(encoded);
    const principal = await authenticator.login(name, password, request.remoteAddress);
    admit(principal, request.remoteAddress);
    return this.#identity(principal);
  }

  #identity(principal: Principal): Identity {
    const { directory } = this.#options;
    if (principal.kind === 'anonymous') {
      // Clients learn from a refused ping that they may log in; lists are for who has asked for a token.
      const allows = (action: Action, repository: string) =>
        action === 'pull' && directory.permits(ANONYMOUS, 'pull', repository);
      return { name: principal.name, anonymous: true, allows };
    }
    const allows = (action: Action, repository: string) => directory.permits(principal, action, repository);
    return { name: principal.name, anonymous: false, allows };
  }

  #unauthorized(request: AccessRequest, message: string): Error {
    const challenge = this.challenge({ action: 'ping', repository: '' }, { ...request, authorization: undefined });
    return registryError('UNAUTHORIZED', message, {
      headers: challenge === undefined ? {} : { 'WWW-Authenticate': `${challenge},error="invalid_token"` },
    });
  }
}

/** Name and password of Basic (RFC 7617). */
export function splitBasic(encoded: string): readonly [name: string, password: string] {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

function scopeOf(action: Action, repository: string): string | undefined {
  if (action === 'ping') return undefined;
  if (action === 'catalog') return 'registry:catalog:*';
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action === 'list' ? 'pull' : action}`;
}

function grants(
  access: readonly { type: string; name: string; actions: readonly string[] }[],
  action: Action,
  repository: string,
): boolean {
  if (action === 'ping') return true;
  if (action === 'catalog' || action === 'list')
    return access.some(({ type, name }) => type === 'registry' && name === 'catalog');
  return access.some(
    ({ type, name, actions }) => type === 'repository' && name === repository && actions.includes(action),
  );
}
