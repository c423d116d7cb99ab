import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isInsecure } from './insecure.ts';
import { proxyFor, proxyOfEnvironment } from './proxy.ts';
import { resolve } from './resolver.ts';
import { testClient } from './test-client.ts';
import { fault, TestRegistry } from './test-registry.ts';
import { parseToml } from './toml.ts';

const directory = mkdtempSync(join(tmpdir(), 'wharf-hosts-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Puts files into the folder for a registry. */
function configure(host: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(directory, host), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, host, name), text);
}

test('parseToml() reads what hosts files hold, and names the line that is wrong', () => {
  const text = `
# a comment
server = "https://r.example" # the registry
[host."https://m.example/v2/x"]
  capabilities = ["pull", 'resolve',]
  override_path = true
  client = [["a.cert", "a.key"],
    ["b.cert", ""]]
[host."https://m.example/v2/x".header]
  x-a = ["1", "2"]
[host.'http://n.example']
n.deep = 1_000
`;
  assert.equal(
    JSON.stringify(parseToml(text)),
    JSON.stringify({
      server: 'https://r.example',
      host: {
        'https://m.example/v2/x': {
          capabilities: ['pull', 'resolve'],
          override_path: true,
          client: [
            ['a.cert', 'a.key'],
            ['b.cert', ''],
          ],
          header: { 'x-a': ['1', '2'] },
        },
        'http://n.example': { n: { deep: 1000 } },
      },
    }),
  );
  assert.throws(() => parseToml('a = 1\nb = '), /line 2/);
  for (const bad of ['a', 'a = "x', '[a', 'a = 1 b = 2', '[[a]]', 'a = 1\na = 2', 'a = 1979-05-27']) {
    assert.throws(() => parseToml(bad), bad);
  }
  assert.equal(JSON.stringify(parseToml('__proto__ = "x"')), '{"__proto__":"x"}');
});

test('isInsecure() takes names, ports and networks', async () => {
  const listed = ['r.invalid:5000', 'http://s.invalid', '10.1.0.0/16', 'fd00::/8'];
  for (const host of [
    'r.invalid:5000',
    's.invalid',
    '10.1.2.3:80',
    '127.0.0.1',
    '[::1]:5000',
    'localhost:5000',
    '[fd00::1]',
  ]) {
    assert.equal(await isInsecure(host, listed), true, host);
  }
  for (const host of ['r.invalid', 'r.invalid:5001', '10.2.0.1', '[fe00::1]']) {
    assert.equal(await isInsecure(host, listed), false, host);
  }
});

test('proxyFor() chooses as Go does', () => {
  const settings = proxyOfEnvironment({
    HTTPS_PROXY: 'p:3128',
    http_proxy: 'http://q',
    no_proxy: '.a.example,b.example:444,10.0.0.0/8,[::2]',
  });
  const chosen = (url: string) => proxyFor(new URL(url), settings);
  assert.equal(chosen('https://r.example/'), 'http://p:3128');
  assert.equal(chosen('http://r.example/'), 'http://q');
  assert.equal(chosen('https://x.a.example/'), undefined);
  assert.equal(chosen('https://a.example/'), 'http://p:3128');
  assert.equal(chosen('https://b.example:444/'), undefined);
  assert.equal(chosen('https://b.example/'), 'http://p:3128');
  assert.equal(chosen('https://10.9.9.9/'), undefined);
  assert.equal(chosen('https://localhost:5000/'), undefined);
  assert.equal(chosen('https://127.0.0.1:5000/'), undefined);
  assert.equal(proxyFor(new URL('https://x/'), { ...settings, noProxy: '*' }), undefined);
});

test('mirrors of a hosts file are asked in order, with their paths, and the registry last', async () => {
  await using broken = await TestRegistry.start({
    intercept(_, response) {
      fault(response, 500, 'UNKNOWN', 'broken');
      return true;
    },
  });
  await using mirror = await TestRegistry.start();
  await using registry = await TestRegistry.start();
  const image = mirror.putImage('cache/a/b', '1', [Buffer.from('mirrored')]);
  const own = registry.putImage('a/c', '1', [Buffer.from('own')]);
  const port = registry.host.split(':')[1];
  configure(`127.0.0.1_${port}_`, {
    'hosts.toml': `server = "${registry.origin}"
[host."${broken.origin}"]
[host."${mirror.origin}/v2/cache"]
override_path = true
capabilities = ["pull", "resolve"]
[host."${mirror.origin}/v2/cache".header]
x-tenant = "me"
`,
  });
  await using client = await testClient({ directories: [directory] });
  const repository = await client.open(`${registry.host}/a/b:1`, { username: 'me', password: 'secret' });
  assert.equal((await resolve(repository)).digest, image.digest);
  assert.ok(broken.seen.length > 0);
  const asked = mirror.seen.at(-1);
  assert.match(asked?.url ?? '', /^\/v2\/cache\/a\/b\/manifests\/1\?ns=127\.0\.0\.1/);
  assert.equal(asked?.headers['x-tenant'], 'me');
  assert.equal(registry.seen.length, 0);
  assert.equal((await resolve(await client.open(`${registry.host}/a/c:1`))).digest, own.digest);
  assert.equal(repository.forPush().host.base.host, broken.host);
});

test('a hosts file may rewrite names', async () => {
  await using mirror = await TestRegistry.start();
  const image = mirror.putImage('proxy/hub/library/x', '1', [Buffer.from('x')]);
  configure('docker.io', {
    'hosts.toml': `[host."${mirror.origin}"]
[host."${mirror.origin}".rewrite]
"^library/(.*)" = "proxy/hub/library/$1"
`,
  });
  await using client = await testClient({ directories: [directory] });
  assert.equal((await resolve(await client.open('x:1'))).digest, image.digest);
  rmSync(join(directory, 'docker.io'), { recursive: true });
});

test('registry-mirrors serve Docker Hub, without the user’s credentials', async () => {
  await using mirror = await TestRegistry.start();
  const image = mirror.putImage('library/x', '1', [Buffer.from('x')]);
  await using client = await testClient({ mirrors: [`${mirror.origin}/`] });
  const repository = await client.open('x:1', { username: 'me', password: 'secret' });
  assert.equal((await resolve(repository)).digest, image.digest);
  assert.match(mirror.seen[0]?.url ?? '', /^\/v2\/library\/x\/manifests\/1\?ns=docker\.io$/);
  assert.ok(mirror.seen.every(({ authorization }) => authorization === undefined));
  assert.equal(repository.forPush().host.base.host, 'registry-1.docker.io');
});

test('certificates: unknown authorities are refused, known ones accepted, plain HTTP told apart', async () => {
  const at = (name: string): string => join(directory, name);
  const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key.pem')];
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, '-out', at('cert.pem'), ...subject], {
    stdio: 'ignore',
  });
  const cert = readFileSync(at('cert.pem'), 'utf8');
  await using secure = await TestRegistry.start({ tls: { key: readFileSync(at('key.pem'), 'utf8'), cert } });
  const image = secure.putImage('a/b', '1', [Buffer.from('x')]);
  // The server as its own registry: 127.0.0.1 is insecure by default, a mirror's entry is not asked for that.
  await using client = await testClient({ directories: [directory] });
  const { client: web } = client.registries;
  const call = { method: 'GET', url: new URL(`${secure.origin}/v2/`) };
  await assert.rejects(web.send(call), /x509: certificate signed by unknown authority/);
  configure(secure.host, { 'ca.crt': cert });
  const repository = await client.open(`${secure.host}/a/b:1`);
  assert.equal((await resolve(repository)).digest, image.digest);
  assert.deepEqual(repository.forPush().host.tls.ca, [cert]);
  const reply = await web.send({ ...call, tls: { ca: [cert] } });
  reply.body.resume();
  assert.equal(reply.status, 200);
  await using plain = await TestRegistry.start();
  const https = new URL(`https://${plain.host}/v2/`);
  await assert.rejects(web.send({ method: 'GET', url: https }), /http: server gave HTTP response to HTTPS client/);
  configure(plain.host, { 'x.cert': cert });
  await assert.rejects(client.open(`${plain.host}/a/b:1`), /missing client key x\.key for cert x\.cert/);
});

test('requests go through the proxy', async () => {
  await using proxy = await TestRegistry.start();
  proxy.putImage('a/b', '1', [Buffer.from('x')]);
  await using client = await testClient({
    insecure: ['r.invalid'],
    proxy: { httpProxy: proxy.origin, httpsProxy: 'http://127.0.0.1:9' },
  });
  const reply = await client.registries.client.send({ method: 'GET', url: new URL('http://r.invalid/v2/') });
  reply.body.resume();
  assert.equal(reply.status, 200);
  assert.equal(proxy.seen[0]?.url, 'http://r.invalid/v2/');
});
