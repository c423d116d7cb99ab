import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageSummary, imageFormat, linesOf } from './image-rows.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const image = (more: Partial<ImageSummary>): ImageSummary => ({
  ...{ Id: digest, Created: 1, Size: 1, SharedSize: -1, Containers: -1 },
  ...more,
});
const names = (summary: ImageSummary, digests = false, format = '') =>
  linesOf(summary, { digests, format }).map((row) => [row.repository, row.tag, row.digest]);

test('linesOf() gives a line for each tag, and with digests for each of those', () => {
  const tagged = image({
    RepoTags: ['app:1', 'app:2', 'registry.example/x/y:z'],
    RepoDigests: [`app@${digest}`, `other@${digest}`],
  });
  assert.deepEqual(names(tagged), [
    ['app', '1', '<none>'],
    ['app', '2', '<none>'],
    ['registry.example/x/y', 'z', '<none>'],
    ['other', '<none>', ''],
  ]);
  assert.deepEqual(names(tagged, true), [
    ['app', '1', digest],
    ['app', '2', digest],
    ['registry.example/x/y', 'z', '<none>'],
    ['other', '<none>', digest],
  ]);
  assert.deepEqual(names(tagged, false, '{{.Digest}}')[0], ['app', '1', digest]);
});

test('linesOf() gives one line for an image without a name', () => {
  const none = ['<none>', '<none>', '<none>'];
  assert.deepEqual(names(image({})), [none]);
  assert.deepEqual(names(image({ RepoTags: null, RepoDigests: [] })), [none]);
  assert.deepEqual(names(image({ RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] })), [none]);
});

test("imageFormat() has docker's templates", () => {
  assert.equal(imageFormat('table', { quiet: true, digests: false }), '{{.ID}}');
  assert.match(
    imageFormat('table', { quiet: false, digests: true }),
    /\{\{\.Tag\}\}\\t\{\{\.Digest\}\}\\t\{\{\.ID\}\}/,
  );
  assert.equal(imageFormat('table {{.ID}}', { quiet: true, digests: true }), 'table {{.ID}}\t{{.Digest}}');
  assert.equal(imageFormat('{{.ID}}', { quiet: false, digests: true }), '{{.ID}}');
});
