import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';

export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly issuer: string;
  /** Each question: `GET` or the grant type, and for what. */
  readonly asked: readonly string[];
}

const REFRESH_TOKEN = 'refresh-me';

/**
 * A token server for docker-registry (its "Token Authentication" and "OAuth2" pages): `me` with `secret` may all, nobody may pull. Tokens are
 * signed by the key whose certificate the registry trusts.
 */
export async function startTokenServer(files: {
  readonly cert: string;
  readonly key: string;
  readonly service: string;
}): Promise<TokenServer> {
  const asked: string[] = [];
  const issuer = 'test issuer';
  const key = createPrivateKey(readFileSync(files.key));
  const chain = [new X509Certificate(readFileSync(files.cert)).raw.toString('base64')];
  const tokenFor = (subject: string, scopes: readonly string[]): string => {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',').filter((each) => subject !== '' || each === 'pull') };
    });
    const claims = {
      iss: issuer,
      sub: subject,
      aud: files.service,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ typ: 'JWT', alg: 'ES256', x5c: chain })}.${part({ ...claims, access })}`;
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  };
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  const answer = async (request: IncomingMessage): Promise<{ readonly status: number; readonly body: object }> => {
    const { who, scopes, offline, how } = await questionOf(request);
    asked.push(`${how} ${scopes.join(' ')}`.trim());
    if (who === undefined) {
      const errors = [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }];
      return { status: 401, body: { errors } };
    }
    const token = tokenFor(who, scopes);
    const refresh = offline ? { refresh_token: REFRESH_TOKEN } : {};
    return { status: 200, body: { token, access_token: token, expires_in: 300, ...refresh } };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = server.address();
  return {
    realm: `http://127.0.0.1:${typeof own === 'object' && own !== null ? own.port : 0}/token`,
    issuer,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Question {
  /** `''` for nobody, `undefined` for wrong credentials. */
  readonly who: string | undefined;
  readonly scopes: readonly string[];
  readonly offline: boolean;
  readonly how: string;
}

async function questionOf(request: IncomingMessage): Promise<Question> {
  if (request.method === 'POST') {
    const form = new URLSearchParams((await Array.fromAsync(request, String)).join(''));
    const how = form.get('grant_type') ?? '';
    const good =
      how === 'refresh_token' ? form.get('refresh_token') === REFRESH_TOKEN : form.get('password') === 'secret';
    const scopes = (form.get('scope') ?? '').split(' ').filter((each) => each !== '');
    return { who: good ? 'me' : undefined, scopes, offline: form.get('access_type') === 'offline', how };
  }
  const { searchParams } = new URL(request.url ?? '', 'http://unknown');
  const given = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
  const who = given === '' ? '' : given === 'me:secret' ? 'me' : undefined;
  const offline = searchParams.get('offline_token') === 'true';
  return { who, scopes: searchParams.getAll('scope'), offline, how: 'GET' };
}
