/** How a user is known to a registry. All empty is nobody. */
export interface RegistryCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A refresh token of the registry's token server. */
  readonly identityToken?: string | undefined;
  /** A bearer token, sent as it is. */
  readonly registryToken?: string | undefined;
  /** The host they are for; those of the image's name when absent. */
  readonly serverAddress?: string | undefined;
}

/** Credentials in the Docker API's form, where a pair may be given as `auth`; `undefined` when they name nobody. */
export function credentialsOfAuth(given: {
  readonly auth?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identitytoken?: string | undefined;
  readonly registrytoken?: string | undefined;
  readonly serveraddress?: string | undefined;
}): RegistryCredentials | undefined {
  const { auth, username, password, identitytoken, registrytoken, serveraddress } = given;
  const pair = username || password ? [username, password] : splitPair(auth ?? '');
  const found = {
    username: pair[0],
    password: pair[1],
    identityToken: identitytoken,
    registryToken: registrytoken,
    serverAddress: serveraddress,
  };
  return found.username || found.password || identitytoken || registrytoken ? found : undefined;
}

/** `user:password` in base64, as in the client's config file. */
function splitPair(auth: string): readonly [string | undefined, string | undefined] {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** What a token is to allow: `repository:library/busybox:pull`. */
export type Scope = string;

/** The scope for a repository. */
export function repositoryScope(repository: string, ...actions: readonly string[]): Scope {
  return `repository:${repository}:${actions.join(',')}`;
}

/** Scopes without repetitions: actions on one thing are joined. */
export function mergeScopes(...scopes: readonly Scope[]): readonly Scope[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.flatMap((each) => each.split(' ')).filter((each) => each !== '')) {
    const colon = scope.lastIndexOf(':');
    const thing = scope.slice(0, colon);
    const set = actions.get(thing) ?? new Set<string>();
    for (const action of scope.slice(colon + 1).split(',')) set.add(action);
    actions.set(thing, set);
  }
  return [...actions].map(([thing, set]) => `${thing}:${[...set].sort().join(',')}`).sort();
}
