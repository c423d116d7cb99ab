import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildCredentials } from './registry-config.ts';

function header(value: unknown): { readonly headers: { readonly 'x-registry-config': string } } {
  return { headers: { 'x-registry-config': Buffer.from(JSON.stringify(value)).toString('base64url') } };
}

test('buildCredentials() finds credentials by an image’s registry', () => {
  const find = buildCredentials(
    header({
      'https://index.docker.io/v1/': { username: 'hub', password: 'h' },
      'localhost:5000': { auth: Buffer.from('me:secret').toString('base64') },
      'https://company.invalid/v2/': { identitytoken: 'refresh' },
      'empty.invalid': {},
    }),
  );
  assert.equal(find('docker.io')?.username, 'hub');
  assert.deepEqual([find('localhost:5000')?.username, find('localhost:5000')?.password], ['me', 'secret']);
  assert.equal(find('company.invalid')?.identityToken, 'refresh');
  assert.equal(find('empty.invalid'), undefined);
  assert.equal(find('other.invalid'), undefined);
});

test('buildCredentials() takes no header for nobody, and refuses one that is broken', () => {
  assert.equal(buildCredentials({ headers: {} })('docker.io'), undefined);
  assert.throws(
    () => buildCredentials({ headers: { 'x-registry-config': 'bm90IGpzb24' } }),
    /Cannot read X-Registry-Config/,
  );
});
