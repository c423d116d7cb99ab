/** Times are milliseconds since the Unix epoch. Nothing here is a secret in clear: see secrets.ts. */

export type Role = 'reader' | 'writer' | 'admin';

/** What a grant, a token or a robot may be allowed. */
export type Right = 'pull' | 'push' | 'delete';

export interface UserRecord {
  /** By `hashPassword`. */
  readonly password: string;
  /** May do everything everywhere. */
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  readonly createdAt: number;
}

/** A personal access token, or the refresh token of a login. Its holder may do what the owner may, within `limit`. */
export interface TokenRecord {
  readonly kind: 'personal' | 'refresh';
  readonly owner: string;
  readonly description: string;
  /** By `hashSecret`. */
  readonly secret: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly limit?: readonly Right[];
  /** The personal token a login was made with: it ends with it. */
  readonly parent?: string;
}

/** A machine's account, which belongs to a namespace and has rights in it only. */
export interface RobotRecord {
  readonly namespace: string;
  readonly description: string;
  readonly secret: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly isDisabled: boolean;
  readonly permissions: readonly RepositoryRights[];
}

/** Rights on the repositories that a pattern names, as `team/*` or `team/web/**`. */
export interface RepositoryRights {
  readonly repository: string;
  readonly rights: readonly Right[];
}

/** The first part of repository names, as `team` of `team/web`. */
export interface NamespaceRecord {
  readonly createdAt: number;
  readonly anonymousPull: boolean;
  /** Role by user. */
  readonly members: Readonly<Record<string, Role>>;
  /** Rights of users on some repositories only. */
  readonly grants: readonly (RepositoryRights & { readonly user: string })[];
  readonly quotaBytes?: number;
  /** Tags that are set once: pairs of patterns. */
  readonly immutable?: readonly { readonly repository: string; readonly tag: string }[];
  readonly retention?: readonly RetentionRule[];
  /** How long what was deleted can be restored. */
  readonly softDeleteMs?: number;
}

/** See retention/rules.ts for what it means. */
export interface RetentionRule {
  readonly id: number;
  readonly repository: string;
  readonly tags?: string;
  readonly keepLast?: number;
  readonly keepPushedMs?: number;
  readonly keepPulledMs?: number;
  readonly untaggedMs?: number;
}
