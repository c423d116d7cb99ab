import { randomBytes } from 'node:crypto';
import { registryError } from '../errors.ts';
import type { Call } from '../http/call.ts';
import { receive } from '../http/receive.ts';
import {
  MAX_SCOPES,
  MAX_TOKEN_REQUEST_BYTES,
  MAX_TOKENS_PER_USER,
  REFRESH_LIFE_MS,
  TOKEN_LIFE_SECONDS,
} from '../limits.ts';
import { isRepositoryName } from '../names.ts';
import type { Extension } from '../plug/extension.ts';
import type { Authenticator } from './authenticator.ts';
import type { BearerTokens, Granted } from './bearer.ts';
import { ANONYMOUS, type Directory, type Principal } from './directory.ts';
import { splitBasic } from './directory-access.ts';
import type { Right } from './records.ts';
import { hashSecret, makeSecret } from './secrets.ts';

export const TOKEN_PATH = '/token';

export interface TokenEndpointOptions {
  readonly directory: Directory;
  readonly authenticator: Authenticator;
  readonly tokens: BearerTokens;
  readonly service: string;
  readonly admit: (principal: Principal, address: string) => void;
}

/** `GET /token` (Docker's token specification) and `POST /token` (its OAuth2 form: `password` and `refresh_token`). */
export function tokenEndpoint(options: TokenEndpointOptions): Extension {
  return {
    name: 'token',
    async handle(call) {
      if (call.path !== TOKEN_PATH) return false;
      call.setHeader('Cache-Control', 'no-store');
      if (call.method === 'GET') await get(options, call);
      else if (call.method === 'POST') await post(options, call);
      else throw registryError('UNSUPPORTED', 'the operation is unsupported');
      return true;
    },
  };
}

async function get(options: TokenEndpointOptions, call: Call): Promise<void> {
  const { authenticator, directory } = options;
  const { query, remoteAddress } = call;
  checkService(options, query.get('service'));
  const basic = /^basic +(\S+)$/i.exec(call.headers.authorization ?? '')?.[1];
  let principal: Principal = ANONYMOUS;
  if (basic !== undefined) principal = await authenticator.login(...splitBasic(basic), remoteAddress);
  else if (call.exchange.clientName !== undefined) {
    const certified: Principal = { kind: 'user', name: call.exchange.clientName };
    if (directory.isLive(certified)) principal = certified;
  }
  const refresh =
    query.get('offline_token') === 'true' ? await refreshToken(options, principal, query.get('client_id')) : undefined;
  answer(options, call, { principal, scopes: query.getAll('scope').flatMap((text) => text.split(' ')), refresh });
}

async function post(options: TokenEndpointOptions, call: Call): Promise<void> {
  const form = await readForm(call);
  const { authenticator } = options;
  const { remoteAddress } = call;
  checkService(options, form.get('service'));
  const kind = form.get('grant_type');
  let principal: Principal;
  let refresh: string | undefined;
  if (kind === 'refresh_token') {
    refresh = form.get('refresh_token') ?? '';
    principal = authenticator.refresh(refresh, remoteAddress);
  } else if (kind === 'password') {
    principal = await authenticator.login(form.get('username') ?? '', form.get('password') ?? '', remoteAddress);
    if (form.get('access_type') === 'offline') refresh = await refreshToken(options, principal, form.get('client_id'));
  } else throw registryError('UNSUPPORTED', 'grant_type is neither password nor refresh_token', { status: 400 });
  answer(options, call, { principal, scopes: (form.get('scope') ?? '').split(' '), refresh });
}

function checkService({ service }: TokenEndpointOptions, wanted: string | null): void {
  if (wanted !== null && wanted !== '' && wanted !== service)
    throw registryError('UNSUPPORTED', `there are no tokens here for the service "${wanted.slice(0, 100)}"`, {
      status: 400,
    });
}

async function readForm(call: Call): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await receive(call.exchange, (chunk) => {
    bytes += chunk.length;
    if (bytes > MAX_TOKEN_REQUEST_BYTES)
      throw registryError('SIZE_INVALID', 'the request is too long', { status: 413 });
    chunks.push(chunk);
    return undefined;
  });
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** A token that stands for a login; `undefined` for who needs none, as robots, whose secrets are good for this. */
async function refreshToken(
  { directory }: TokenEndpointOptions,
  principal: Principal,
  client: string | null,
): Promise<string | undefined> {
  if (principal.kind !== 'user') return undefined;
  const { name: owner } = principal;
  const id = randomBytes(8).toString('hex');
  const secret = makeSecret();
  const now = directory.now();
  const own = directory.tokens.list().filter(({ value }) => value.owner === owner && value.kind === 'refresh');
  directory.transaction(() => {
    const byAge = own.toSorted((one, other) => one.value.createdAt - other.value.createdAt);
    for (const { key } of byAge.slice(0, Math.max(0, own.length - MAX_TOKENS_PER_USER + 1)))
      directory.tokens.delete(key);
    directory.tokens.put(id, {
      ...{ kind: 'refresh', owner, description: `login of ${(client ?? 'a client').slice(0, 64)}` },
      ...{ secret: hashSecret(secret), createdAt: now, expiresAt: now + REFRESH_LIFE_MS },
      ...(principal.token === undefined ? {} : { parent: principal.token }),
    });
  });
  await directory.committed();
  return `wharf_${id}_${secret}`;
}

function answer(
  options: TokenEndpointOptions,
  call: Call,
  given: { readonly principal: Principal; readonly scopes: readonly string[]; readonly refresh: string | undefined },
): void {
  const { tokens, directory, admit } = options;
  const { principal, scopes, refresh } = given;
  // For the logs.
  call.identity = { name: principal.name, anonymous: principal.kind === 'anonymous', allows: () => false };
  admit(principal, call.remoteAddress);
  const access = grantedOf(
    directory,
    principal,
    scopes.filter((text) => text !== ''),
  );
  const token = tokens.issue(principal, access, TOKEN_LIFE_SECONDS);
  call.json(200, {
    ...{ token, access_token: token, token_type: 'Bearer', expires_in: TOKEN_LIFE_SECONDS },
    issued_at: new Date(directory.now()).toISOString(),
    scope: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  });
}

/** Of what is asked for, as much as the principal may. */
function grantedOf(directory: Directory, principal: Principal, scopes: readonly string[]): readonly Granted[] {
  if (scopes.length > MAX_SCOPES) throw registryError('UNSUPPORTED', `more than ${MAX_SCOPES} scopes`, { status: 400 });
  const found: Granted[] = [];
  for (const scope of scopes) {
    const [, type = '', name = '', list = ''] = /^([a-z]+(?:\([a-z]+\))?):(.+):([a-z*,]*)$/.exec(scope) ?? [];
    const wanted = list.split(',');
    if (type === 'registry' && name === 'catalog' && wanted.includes('*')) found.push({ type, name, actions: ['*'] });
    if (!type.startsWith('repository') || !isRepositoryName(name)) continue;
    const all: readonly Right[] = ['pull', 'push', 'delete'];
    const actions = all.filter(
      (right) => (wanted.includes(right) || wanted.includes('*')) && directory.permits(principal, right, name),
    );
    if (actions.length > 0) found.push({ type: 'repository', name, actions });
  }
  return found;
}
