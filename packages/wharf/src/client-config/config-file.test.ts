import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigFile } from './config-file.ts';
import { DockerConfig, encodeAuth } from './docker-config.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-config-file-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function place(content?: string): {
  readonly env: { readonly DOCKER_CONFIG: string; readonly PATH: string };
  readonly path: string;
} {
  const directory = mkdtempSync(join(scratch, 'c-'));
  const path = join(directory, 'config.json');
  if (content !== undefined) writeFileSync(path, content, { mode: 0o640 });
  return { env: { DOCKER_CONFIG: directory, PATH: '' }, path };
}

test('change() keeps what it does not know, the mode, and what others wrote meanwhile', () => {
  const { env, path } = place('{"mine":{"a":[1]},"psFormat":"x","currentContext":"far"}');
  const config = ConfigFile.read(env);
  assert.equal(config.values.psFormat, 'x');
  writeFileSync(path, '{"mine":{"a":[1]},"psFormat":"y","currentContext":"far"}');
  config.change({ currentContext: undefined, detachKeys: 'ctrl-x' });
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    ...{ auths: {}, mine: { a: [1] }, psFormat: 'y', detachKeys: 'ctrl-x' },
  });
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(env.DOCKER_CONFIG), ['config.json']);
});

test('change() makes the file for its owner alone, and writes where a symbolic link leads', () => {
  const fresh = place();
  ConfigFile.read(fresh.env).change({ currentContext: 'far' });
  assert.equal(readFileSync(fresh.path, 'utf8'), '{\n\t"auths": {},\n\t"currentContext": "far"\n}');
  assert.equal(statSync(fresh.path).mode & 0o777, 0o600);
  const linked = place();
  const target = join(scratch, 'elsewhere.json');
  symlinkSync(target, linked.path);
  ConfigFile.read(linked.env).change({ currentContext: 'far' });
  assert.ok(lstatSync(linked.path).isSymbolicLink());
  assert.match(readFileSync(target, 'utf8'), /"far"/);
});

test('store() and erase() keep and forget logins in the file, sorted, as docker writes them', async () => {
  const { env, path } = place('{"auths":{"z":{"auth":"eg=="}}}');
  const config = new DockerConfig(env);
  assert.equal(await config.store('a.example', { username: 'u', password: 'p:q', identitytoken: '' }), true);
  assert.equal(await config.store('b.example', { username: 'u', password: '', identitytoken: 't' }), false);
  const { auths } = JSON.parse(readFileSync(path, 'utf8')) as { readonly auths: object };
  assert.deepEqual(Object.keys(auths), ['a.example', 'b.example', 'z']);
  assert.equal((await config.login('a.example')).password, 'p:q');
  assert.equal((await config.login('b.example')).identitytoken, 't');
  await config.erase('a.example');
  await config.erase('nobody.example');
  assert.deepEqual(await config.login('a.example'), { username: '', password: '', identitytoken: '' });
});

test('registryAuth() is padded base64 for URLs of what is known, as dockerd reads it', async () => {
  const { env } = place('{"auths":{"r.example":{"auth":"dTpwPz8+"}}}');
  const config = new DockerConfig(env);
  const read = (text: string): unknown => {
    assert.equal(text.length % 4, 0);
    assert.doesNotMatch(text, /[+/]/);
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  };
  assert.deepEqual(read(await config.registryAuth('r.example')), {
    ...{ username: 'u', password: 'p??>', serveraddress: 'r.example' },
  });
  assert.deepEqual(read(await config.registryAuth('docker.io')), { serveraddress: 'https://index.docker.io/v1/' });
  assert.equal(encodeAuth({}), 'e30=');
});
