import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packContext, unpackContext } from './archive.ts';
import { ContextStore, checkContextName } from './context-store.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-contexts-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const store = new ContextStore(scratch, { host: 'unix:///here.sock' });

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test('a context goes through an archive with its keys, which nobody else may read', async () => {
  const docker = { Host: 'tcp://far:2376', SkipTLSVerify: false };
  const tls = new Map([['docker', new Map([['key.pem', Buffer.from('KEY')]])]]);
  const packed = await packContext({ Name: 'far', Metadata: { Description: 'x' }, Endpoints: { docker } }, tls);
  await unpackContext('near', store, one(packed));
  assert.deepEqual(store.get('near'), { Name: 'near', Metadata: { Description: 'x' }, Endpoints: { docker } });
  assert.equal(store.tls('near').get('docker')?.get('key.pem')?.toString(), 'KEY');
  assert.equal(statSync(join(store.paths('near').tls, 'docker/key.pem')).mode & 0o777, 0o600);
  store.putTls('near', new Map(), 'docker');
  assert.equal(store.tls('near').size, 0);
});

test('archives that lead elsewhere, are none, or have no context in them are refused before anything is written', async () => {
  const { encodeTarHeader, TAR_END } = await import('@wharf/oci/tar/write');
  const archive = (name: string) =>
    one(Buffer.concat([encodeTarHeader({ name, type: 'file', sizeBytes: 0 }), TAR_END]));
  for (const name of ['../meta.json', 'tls/../../x', 'other', 'tls/a\\b/c', 'tls//x', '/etc/passwd']) {
    await assert.rejects(unpackContext('bad', store, archive(name)), { kind: 'invalid-argument' }, name);
  }
  await assert.rejects(unpackContext('bad', store, archive('tls/docker/ca.pem')), /no metadata found/);
  await assert.rejects(unpackContext('bad', store, one(Buffer.from('PK\u0003\u0004'))), /not a valid zip file/);
  assert.equal(store.has('bad'), false);
});

test('default stands for flags and environment, and its name is nobody else’s', () => {
  assert.equal(store.get('default').Endpoints.docker?.Host, 'unix:///here.sock');
  assert.deepEqual(
    store.list().map(({ Name }) => Name),
    ['default', 'near'],
  );
  assert.throws(() => checkContextName('default'), /reserved/);
  assert.throws(() => checkContextName('../x'), /is invalid/);
});
