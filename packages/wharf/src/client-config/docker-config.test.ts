import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DockerConfig } from './docker-config.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-docker-config-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A configuration, and credential helpers that answer by the server's name. */
function config(file: object): DockerConfig {
  const directory = mkdtempSync(join(scratch, 'c-'));
  writeFileSync(join(directory, 'config.json'), JSON.stringify(file));
  mkdirSync(join(directory, 'bin'));
  const helper = join(directory, 'bin', 'docker-credential-test');
  writeFileSync(
    helper,
    `#!/bin/sh
read -r server
case $server in
  token.example) echo '{"Username":"<token>","Secret":"t"}';;
  user.example) echo '{"Username":"u","Secret":"p"}';;
  broken.example) echo 'the keyring is locked'; exit 1;;
  *) echo 'credentials not found in native keychain'; exit 1;;
esac
`,
  );
  chmodSync(helper, 0o755);
  return new DockerConfig({ DOCKER_CONFIG: directory, PATH: `${join(directory, 'bin')}:${process.env['PATH']}` });
}

const auth = Buffer.from('me:my:word').toString('base64');

test('login() reads logins of the file, whatever name the registry goes by', async () => {
  const found = config({
    auths: { 'https://index.docker.io/v1/': { auth }, 'r.example:5000': { identitytoken: 'i' } },
  });
  const mine = { username: 'me', password: 'my:word', identitytoken: '' };
  assert.deepEqual(await found.login('docker.io'), mine);
  assert.deepEqual(await found.login('registry-1.docker.io'), mine);
  assert.equal((await found.login('r.example:5000')).identitytoken, 'i');
  assert.deepEqual(await found.login('elsewhere.example'), { username: '', password: '', identitytoken: '' });
});

test('login() asks the helper of a registry, or the store, and the file when those know nobody', async () => {
  const one = config({ credHelpers: { 'user.example': 'test' }, auths: { 'other.example': { auth } } });
  assert.deepEqual(await one.login('user.example'), { username: 'u', password: 'p', identitytoken: '' });
  assert.equal((await one.login('other.example')).username, 'me');
  const all = config({ credsStore: 'test', auths: { 'unknown.example': { auth } } });
  assert.equal((await all.login('token.example')).identitytoken, 't');
  assert.equal((await all.login('unknown.example')).username, 'me');
  await assert.rejects(all.login('broken.example'), /docker-credential-test failed: the keyring is locked/);
  await assert.rejects(config({ credsStore: 'none-such' }).login('x'), /there is no docker-credential-none-such/);
});

test('proxyArguments() are those of the daemon, in both spellings', () => {
  const found = config({ proxies: { default: { httpProxy: 'http://p' }, 'tcp://d:1': { noProxy: 'n' } } });
  assert.deepEqual(found.proxyArguments('unix:///x'), { HTTP_PROXY: 'http://p', http_proxy: 'http://p' });
  assert.deepEqual(found.proxyArguments('tcp://d:1'), { NO_PROXY: 'n', no_proxy: 'n' });
});

test('a configuration that is no JSON is refused with its path', () => {
  const directory = mkdtempSync(join(scratch, 'bad-'));
  writeFileSync(join(directory, 'config.json'), '{');
  assert.throws(() => new DockerConfig({ DOCKER_CONFIG: directory }), {
    kind: 'invalid-argument',
    message: /config\.json/,
  });
  assert.doesNotThrow(() => new DockerConfig({ DOCKER_CONFIG: join(directory, 'none') }));
});
