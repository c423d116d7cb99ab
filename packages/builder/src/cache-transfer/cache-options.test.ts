import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheExport, cacheImport } from './cache-options.ts';

test('cacheExport() reads every attribute, and has the defaults of BuildKit', () => {
  assert.deepEqual(cacheExport({ Type: 'registry', Attrs: { ref: 'r' } }), {
    ...{ kind: 'registry', reference: 'r', insecure: false, ignoreError: false },
    form: {
      ...{ mode: 'min', oci: true, imageManifest: true, force: false },
      layers: { compression: 'gzip', level: undefined },
    },
  });
  const attributes = {
    ...{ dest: 'd', mode: 'max', compression: 'zstd', 'compression-level': '3', 'force-compression': 'true' },
    ...{ 'oci-mediatypes': 'false', 'ignore-error': 'true' },
  };
  assert.deepEqual(cacheExport({ Type: 'local', Attrs: attributes }), {
    ...{ kind: 'local', directory: 'd', ignoreError: true },
    form: {
      ...{ mode: 'max', oci: false, imageManifest: false, force: true },
      layers: { compression: 'zstd', level: 3 },
    },
  });
  assert.deepEqual(cacheExport({ Type: 'inline', Attrs: {} }), { kind: 'inline' });
});

test('cacheExport() and cacheImport() refuse what they do not know', () => {
  for (const Attrs of [
    {},
    { ref: 'r', mode: 'most' },
    { ref: 'r', compression: 'lzma' },
    { ref: 'r', 'compression-level': 'high' },
    { ref: 'r', 'image-manifest': 'true', 'oci-mediatypes': 'false' },
    { ref: 'r', 'ignore-error': 'perhaps' },
  ]) {
    assert.throws(() => cacheExport({ Type: 'registry', Attrs }), { kind: 'invalid-argument' }, JSON.stringify(Attrs));
  }
  assert.throws(() => cacheExport({ Type: 'gha', Attrs: {} }), { message: 'unknown cache exporter: "gha"' });
  assert.throws(() => cacheImport({ Type: 's3', Attrs: {} }), { message: 'unknown cache importer: s3' });
  assert.throws(() => cacheImport({ Type: 'local', Attrs: { src: 's' } }), { kind: 'invalid-argument' });
  assert.deepEqual(cacheImport({ Type: 'registry', Attrs: { ref: 'r', 'registry.insecure': 'true' } }), {
    ...{ kind: 'registry', reference: 'r', insecure: true },
  });
});
