import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, fileLayer, isApplication, manifestOf, OLD_CONFIG_TYPE, PROJECT_TYPE } from './artifact.ts';
import { parseGitSource } from './git-source.ts';

test('manifestOf() says by its type, or by that of its configuration, that it is an application', () => {
  const layer = fileLayer('compose.yaml', Buffer.from('services: {}'));
  const read = (version: '1.0' | '1.1') => {
    const { bytes, digest } = manifestOf([layer], { version, now: new Date(0) });
    assert.equal(digest, digestOf(bytes));
    return JSON.parse(bytes.toString()) as { artifactType?: string; config: { mediaType: string }; layers: object[] };
  };
  const [old, current] = [read('1.0'), read('1.1')];
  assert.deepEqual([old.artifactType, old.config.mediaType], [undefined, OLD_CONFIG_TYPE]);
  assert.equal(current.artifactType, PROJECT_TYPE);
  assert.deepEqual(current.layers, [
    {
      mediaType: 'application/vnd.docker.compose.file+yaml',
      digest: digestOf(Buffer.from('services: {}')),
      size: 12,
      annotations: { 'com.docker.compose.file': 'compose.yaml', 'com.docker.compose.version': '2.40.3' },
      data: Buffer.from('services: {}').toString('base64'),
    },
  ]);
  assert.ok(isApplication(old as never) && isApplication(current as never));
  assert.ok(!isApplication({ config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: '', size: 0 } }));
});

test('parseGitSource() takes the forms that docker compose does', () => {
  assert.deepEqual(parseGitSource('https://example.org/a.git#v1:dir/sub'), {
    ...{ remote: 'https://example.org/a.git', ref: 'v1', directory: 'dir/sub' },
  });
  assert.deepEqual(parseGitSource('git@example.org:a.git'), {
    remote: 'git@example.org:a.git',
    ref: 'HEAD',
    directory: '',
  });
  assert.equal(parseGitSource('github.com/me/app').remote, 'https://github.com/me/app');
});
