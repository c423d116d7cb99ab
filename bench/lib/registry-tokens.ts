import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/lib/root.ts';
import { must, run } from '../../scripts/lib/run.ts';
import type { Contestant } from './contestant.ts';
import type { BenchRegistry } from './registry.ts';

/** Has a registry that was stopped ask for tokens, starts it, and returns one that allows to pull from the repository. */
export async function startWithTokens(
  registry: BenchRegistry,
  name: Contestant['name'],
  repository: string,
): Promise<string> {
  return name === 'wharf' ? ourToken(registry, repository) : peerToken(registry, repository);
}

async function ourToken(registry: BenchRegistry, repository: string): Promise<string> {
  const password = randomUUID();
  const line = [
    'registry',
    'users',
    'add',
    'bench',
    '--admin',
    '--password-stdin',
    '--root',
    join(registry.directory, 'root'),
  ];
  const made = await run([join(ROOT, 'bin/wharf'), ...line], { input: `${password}\n` });
  if (made.code !== 0) throw new Error(`no user was made: ${made.output}`);
  await registry.start();
  const refused = await fetch(`${registry.url}/v2/${repository}/tags/list`);
  const challenge = refused.headers.get('www-authenticate') ?? '';
  const part = (key: string): string => new RegExp(`${key}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const url = new URL(part('realm'));
  url.searchParams.set('service', part('service'));
  url.searchParams.set('scope', `repository:${repository}:pull`);
  const authorization = `Basic ${Buffer.from(`bench:${password}`).toString('base64')}`;
  const answer = await fetch(url, { headers: { authorization } });
  return ((await answer.json()) as { token: string }).token;
}

/** 2.8 has no token server of its own: it believes whoever signs with a certificate that it knows. */
async function peerToken(registry: BenchRegistry, repository: string): Promise<string> {
  const [key, certificate] = [join(registry.directory, 'key.pem'), join(registry.directory, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=bench'];
  await must(['openssl', 'req', '-x509', ...kind, '-keyout', key, '-out', certificate]);
  const settings = `{realm: "http://127.0.0.1/token", service: bench, issuer: bench, rootcertbundle: ${certificate}}`;
  appendFileSync(join(registry.directory, 'config.yml'), `auth: {token: ${settings}}\n`);
  await registry.start();
  const der = readFileSync(certificate, 'utf8').replace(/-----[^-]+-----|\s/g, '');
  const now = Math.floor(Date.now() / 1000);
  const access = [{ type: 'repository', name: repository, actions: ['pull'] }];
  const claims = {
    iss: 'bench',
    sub: 'bench',
    aud: 'bench',
    exp: now + 3600,
    nbf: now - 10,
    iat: now,
    jti: randomUUID(),
    access,
  };
  const text = [{ typ: 'JWT', alg: 'ES256', x5c: [der] }, claims]
    .map((each) => Buffer.from(JSON.stringify(each)).toString('base64url'))
    .join('.');
  const privateKey = createPrivateKey(readFileSync(key));
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}
