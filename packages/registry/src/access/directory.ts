import type { Store, Table } from '@wharf/store';
import { namespaceOf } from '../names.ts';
import type { Action } from '../plug/access.ts';
import { matches } from './pattern.ts';
import type {
  NamespaceRecord,
  RepositoryRights,
  Right,
  RobotRecord,
  Role,
  TokenRecord,
  UserRecord,
} from './records.ts';

/** Somebody whose credentials were right. */
export type Principal =
  | { readonly kind: 'user'; readonly name: string; readonly token?: string }
  | { readonly kind: 'robot'; readonly name: string }
  | { readonly kind: 'anonymous'; readonly name: 'anonymous' };

export const ANONYMOUS: Principal = { kind: 'anonymous', name: 'anonymous' };

const ROLE_RIGHTS: Readonly<Record<Role, readonly Right[]>> = {
  reader: ['pull'],
  writer: ['pull', 'push'],
  admin: ['pull', 'push', 'delete'],
};

/**
 * Who there is and what they may do, as it is now: a right that is taken away is gone with the next request, whatever token was made before.
 *
 * Keys: users by name, tokens by id, robots by `namespace+name`, namespaces by name.
 */
export class Directory {
  readonly users: Table<UserRecord>;
  readonly tokens: Table<TokenRecord>;
  readonly robots: Table<RobotRecord>;
  readonly namespaces: Table<NamespaceRecord>;
  readonly #store: Store;
  readonly now: () => number;

  constructor(options: { readonly store: Store; readonly now: () => number }) {
    this.#store = options.store;
    this.now = options.now;
    this.users = this.#store.table('registry.users');
    this.tokens = this.#store.table('registry.tokens');
    this.robots = this.#store.table('registry.robots');
    this.namespaces = this.#store.table('registry.namespaces');
  }

  committed(): Promise<void> {
    return this.#store.committed();
  }

  transaction<T>(work: () => T): T {
    return this.#store.transaction(work);
  }

  /** True while the credentials are still good that a principal came with. */
  isLive(principal: Principal): boolean {
    if (principal.kind === 'anonymous') return true;
    if (principal.kind === 'robot') {
      const robot = this.robots.get(principal.name);
      return robot !== undefined && !robot.isDisabled && !this.#isOver(robot);
    }
    const user = this.users.get(principal.name);
    if (user === undefined || user.isDisabled) return false;
    return principal.token === undefined || this.isTokenLive(principal.token, principal.name);
  }

  isTokenLive(id: string, owner: string): boolean {
    const token = this.tokens.get(id);
    if (token === undefined || token.owner !== owner || this.#isOver(token)) return false;
    return token.parent === undefined || this.isTokenLive(token.parent, owner);
  }

  /** What a principal may do with a repository; `list` is what may be pulled. */
  permits(principal: Principal, action: Action, repository: string): boolean {
    if (!this.isLive(principal)) return false;
    if (action === 'ping' || action === 'catalog') return true;
    const right: Right = action === 'list' ? 'pull' : action;
    const name = namespaceOf(repository);
    const namespace = this.namespaces.get(name);
    if (right === 'pull' && namespace?.anonymousPull === true) return true;
    if (principal.kind === 'anonymous') return false;
    if (principal.kind === 'robot') {
      const robot = this.robots.get(principal.name);
      return robot?.namespace === name && allowedBy(robot.permissions, right, repository);
    }
    if (!this.#withinToken(principal.token, right)) return false;
    if (this.users.get(principal.name)?.isAdmin === true) return true;
    if (namespace === undefined) return false;
    const role = Object.hasOwn(namespace.members, principal.name) ? namespace.members[principal.name] : undefined;
    if (role !== undefined && ROLE_RIGHTS[role].includes(right)) return true;
    return allowedBy(
      namespace.grants.filter(({ user }) => user === principal.name),
      right,
      repository,
    );
  }

  #withinToken(id: string | undefined, right: Right): boolean {
    const token = id === undefined ? undefined : this.tokens.get(id);
    if (token === undefined) return true;
    return (token.limit === undefined || token.limit.includes(right)) && this.#withinToken(token.parent, right);
  }

  #isOver({ expiresAt }: { readonly expiresAt?: number }): boolean {
    return expiresAt !== undefined && expiresAt <= this.now();
  }
}

function allowedBy(permissions: readonly RepositoryRights[], right: Right, repository: string): boolean {
  return permissions.some((each) => each.rights.includes(right) && matches(each.repository, repository));
}
