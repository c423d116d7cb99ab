/**
 * What somebody may want of a repository; `list` is to see that it is there. `catalog` and `ping` concern the registry as a whole.
 */
export type Action = 'pull' | 'push' | 'delete' | 'list' | 'catalog' | 'ping';

/** The facts by which a requester is told. */
export interface AccessRequest {
  readonly authorization: string | undefined;
  readonly remoteAddress: string;
  /** The whole request's headers, for other schemes. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The verified client certificate's subject (mTLS), when there is one. */
  readonly certificateName?: string | undefined;
}

/** Somebody who asks, known or anonymous. */
export interface Identity {
  /** For logs and events; `anonymous` when not known. */
  readonly name: string;
  readonly anonymous: boolean;
  /** True for the daemon this registry is embedded in: it may learn which blobs the daemon has. */
  readonly local?: boolean;
  /** Asked for each request, so quick; `repository` is empty for `catalog` and `ping`. */
  allows(action: Action, repository: string): boolean;
}

/**
 * Who asks, and what they may do. Asked once per request before anything is looked up; the answer must not say whether content exists.
 * One that can answer at once does so without a promise: manifest reads are then answered in the same turn.
 */
export interface Access {
  /** Throws `UNAUTHORIZED` for credentials that are wrong, `TOOMANYREQUESTS` for too many of them. */
  identify(request: AccessRequest): Identity | Promise<Identity>;
  /** The `WWW-Authenticate` of a refusal, for who might log in or get a wider token; `undefined` where that would not help. */
  challenge(
    wanted: { readonly action: Action; readonly repository: string },
    request: AccessRequest,
  ): string | undefined;
}

const anyone: Identity = { name: 'anonymous', anonymous: true, allows: () => true };

/** Everybody may do everything. */
export const openAccess: Access = { identify: () => anyone, challenge: () => undefined };
