import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlatform } from '@wharf/oci/spec/platform';
import { annotationOf, annotationsAt, checkAnnotations } from './annotations.ts';
import { epochOf, flag } from './attributes.ts';
import { imageFormat } from './image-format.ts';

const USUAL = { inlineAttestations: true };
const [AMD, ARM] = [parsePlatform('linux/amd64'), parsePlatform('linux/arm64')];

test('annotationOf() reads the scope and the platform out of an attribute', () => {
  assert.deepEqual(annotationOf('annotation.a.b', '1'), { scope: 'manifest', key: 'a.b', value: '1' });
  assert.deepEqual(annotationOf('annotation-index.k', ''), { scope: 'index', key: 'k', value: '' });
  assert.deepEqual(annotationOf('annotation-manifest-descriptor[linux/arm64/v8].k', 'v'), {
    ...{ scope: 'manifest-descriptor', platform: 'linux/arm64', key: 'k', value: 'v' },
  });
  assert.equal(annotationOf('name', 'x'), undefined);
  assert.equal(annotationOf('annotation-index', 'x'), undefined);
  assert.throws(() => annotationOf('annotation-layer.k', 'v'), /unrecognized annotation type layer/);
});

test('annotationsAt() takes those for all and those for the platform, which win, in the order of their keys', () => {
  const annotations = [
    'annotation[linux/arm64].b',
    'annotation.b',
    'annotation.a',
    'annotation[linux/amd64].z',
  ].flatMap((name, index) => annotationOf(name, String(index)) ?? []);
  assert.equal(JSON.stringify(annotationsAt(annotations, 'manifest', ARM)), '{"a":"2","b":"0"}');
  assert.equal(JSON.stringify(annotationsAt(annotations, 'manifest', AMD)), '{"a":"2","b":"1","z":"3"}');
  assert.equal(annotationsAt(annotations, 'index'), undefined);
});

test('checkAnnotations() refuses what has no place to go', () => {
  const one = annotationOf('annotation[linux/s390x].k', 'v');
  const two = annotationOf('annotation-index.k', 'v');
  assert.ok(one !== undefined && two !== undefined);
  assert.throws(() => checkAnnotations([one], { platforms: [AMD], isIndex: true }), /no platform linux\/s390x found/);
  assert.throws(() => checkAnnotations([two], { platforms: [AMD], isIndex: false }), /single platform export/);
  checkAnnotations([two], { platforms: [AMD, ARM], isIndex: true });
});

test('imageFormat() reads compressions; levels out of the range are the nearest in it', () => {
  const of = (attributes: Readonly<Record<string, string>>) => imageFormat(attributes, USUAL);
  assert.deepEqual([of({}).compression, of({}).level], [undefined, undefined]);
  assert.equal(of({ compression: 'uncompressed' }).compression, 'none');
  assert.equal(of({ compression: 'zstd', 'compression-level': '99' }).level, 22);
  assert.equal(of({ compression: 'gzip', 'compression-level': '-5' }).level, 0);
  assert.equal(of({ 'compression-level': '3' }).compression, 'gzip');
  assert.deepEqual(
    [of({ 'force-compression': '' }).force, of({ 'force-compression': '' }).compression],
    [true, 'gzip'],
  );
  assert.throws(() => of({ 'compression-level': 'x' }), /non-integer value x/);
  assert.throws(() => of({ compression: 'estargz' }), /estargz/);
  assert.equal(imageFormat({}, { ...USUAL, compression: 'gzip' }).compression, 'gzip');
});

test('imageFormat() refuses what Docker media types cannot say', () => {
  const docker = { 'oci-mediatypes': 'false' };
  assert.equal(imageFormat(docker, USUAL).isOci, false);
  assert.throws(
    () => imageFormat({ ...docker, 'oci-artifact': 'true' }, USUAL),
    /conflicts with "oci-mediatypes=false"/,
  );
  assert.throws(() => imageFormat({ ...docker, 'annotation-index.k': 'v' }, USUAL), /cannot export annotations/);
});

test('flag() and epochOf() take what Go takes, and say what they do not', () => {
  assert.equal(flag({ a: 'T' }, 'a', false), true);
  assert.equal(flag({ a: '' }, 'a', false), true);
  assert.equal(flag({ a: '0' }, 'a', true), false);
  assert.equal(flag({}, 'a', true), true);
  assert.throws(() => flag({ a: 'on' }, 'a', true), /non-bool value specified for a/);
  assert.equal(epochOf('0'), 0);
  assert.equal(epochOf(undefined), undefined);
  assert.equal(epochOf(''), undefined);
  for (const text of ['-1', '1.5', 'now', '99999999999999'])
    assert.throws(() => epochOf(text), /invalid SOURCE_DATE_EPOCH/);
});
