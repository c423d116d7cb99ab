import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDigest } from './digest.ts';
import { isKind } from './errors.ts';
import {
  canonicalName,
  familiarName,
  formatCanonical,
  formatFamiliar,
  parseReference,
  parseTag,
  trimReference,
  tryParseReference,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts';

const hex = 'a'.repeat(64);

test('parseReference() fills in domain and library', () => {
  const cases: Readonly<Record<string, readonly [canonical: string, familiar: string]>> = {
    busybox: ['docker.io/library/busybox', 'busybox'],
    'busybox:1.36': ['docker.io/library/busybox:1.36', 'busybox:1.36'],
    'me/app': ['docker.io/me/app', 'me/app'],
    'docker.io/busybox': ['docker.io/library/busybox', 'busybox'],
    'index.docker.io/me/app:x': ['docker.io/me/app:x', 'me/app:x'],
    'docker.io/library/me/app': ['docker.io/library/me/app', 'library/me/app'],
    'localhost/app': ['localhost/app', 'localhost/app'],
    'localhost:5000/app': ['localhost:5000/app', 'localhost:5000/app'],
    'Uppercase.Host/app': ['Uppercase.Host/app', 'Uppercase.Host/app'],
    'HOST/app': ['HOST/app', 'HOST/app'],
    '[::1]:5000/app:t': ['[::1]:5000/app:t', '[::1]:5000/app:t'],
    'r.io/a/b__c/d--e/f.g:T_1-2.3': ['r.io/a/b__c/d--e/f.g:T_1-2.3', 'r.io/a/b__c/d--e/f.g:T_1-2.3'],
    [`app@sha256:${hex}`]: [`docker.io/library/app@sha256:${hex}`, `app@sha256:${hex}`],
    [`r.io/app:v1@sha256:${hex}`]: [`r.io/app:v1@sha256:${hex}`, `r.io/app:v1@sha256:${hex}`],
  };
  for (const [text, [canonical, familiar]] of Object.entries(cases)) {
    assert.equal(formatCanonical(parseReference(text)), canonical, text);
    assert.equal(formatFamiliar(parseReference(text)), familiar, text);
  }
});

test('parseReference() refuses in Docker words', () => {
  const cases: Readonly<Record<string, string>> = {
    Foo: 'invalid reference format: repository name (library/Foo) must be lowercase',
    'me/App:1': 'invalid reference format: repository name (me/App) must be lowercase',
    'r.io/a/B': 'invalid reference format: repository name (a/B) must be lowercase',
    '': 'invalid reference format',
    ':tag': 'invalid reference format',
    'a b': 'invalid reference format',
    'a//b': 'invalid reference format',
    a___b: 'invalid reference format',
    '-a': 'invalid reference format',
    'a:': 'invalid reference format',
    [`a:${'t'.repeat(129)}`]: 'invalid reference format',
    'a@sha256:abc': 'invalid reference format',
    [`a@sha256:${'a'.repeat(40)}`]: 'invalid checksum digest length',
    [`a@sha256:${'A'.repeat(64)}`]: 'invalid checksum digest format',
    [`a@md5:${'a'.repeat(32)}`]: 'unsupported digest algorithm',
    [hex]: `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`,
    [`r.io/${'a'.repeat(256)}`]: 'repository name must not be more than 255 characters',
    ['x'.repeat(5000)]: 'invalid reference format',
  };
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(
      () => parseReference(text),
      (error) => isKind(error, 'invalid-argument') && error.message === message,
      text,
    );
    assert.equal(tryParseReference(text), undefined);
  }
});

test('withDefaultTag(), withTag(), withDigest() and trimReference() change one part', () => {
  const plain = parseReference('app');
  assert.equal(formatFamiliar(withDefaultTag(plain)), 'app:latest');
  assert.equal(formatFamiliar(withDefaultTag(parseReference('app:1'))), 'app:1');
  const digest = parseDigest(`sha256:${hex}`);
  assert.equal(formatFamiliar(withDefaultTag(withDigest(plain, digest))), `app@sha256:${hex}`);
  assert.equal(formatFamiliar(withTag(plain, 'v1')), 'app:v1');
  assert.throws(() => withTag(plain, 'bad tag'), /invalid tag format/);
  assert.equal(parseTag('x'), 'x');
  assert.equal(formatFamiliar(trimReference(parseReference('app:1'))), 'app');
});

test('parseReference() reads what it writes', () => {
  const component = fc.stringMatching(/^[a-z0-9]+(?:(?:__|[._]|-+)[a-z0-9]+)*$/, { size: 'small' });
  const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined });
  const domain = fc.constantFrom('', 'localhost:5000/', 'r.example.com/', 'docker.io/');
  fc.assert(
    fc.property(domain, name, tag, (prefix, path, version) => {
      // On the default domain a first component that looks like a host is one.
      const hostLike = !/^(localhost:|r\.)/.test(prefix) && /^(localhost\/|[^/]*\.[^/]*\/)/.test(path);
      fc.pre(path.length <= 200 && !hostLike && !/^[a-f0-9]{64}$/.test(path));
      const reference = parseReference(`${prefix}${path}${version === undefined ? '' : `:${version}`}`);
      assert.deepEqual(parseReference(formatCanonical(reference)), reference);
      assert.deepEqual(parseReference(formatFamiliar(reference)), reference);
      assert.equal(parseReference(familiarName(reference)).path, reference.path);
      assert.ok(canonicalName(reference).endsWith(path));
    }),
  );
});

test('parseReference() never throws anything but invalid-argument', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('aZ0.:/@-_[] sha256é')), maxLength: 60 }), (text) => {
      try {
        parseReference(text);
      } catch (error) {
        assert.ok(isKind(error, 'invalid-argument'));
      }
    }),
  );
});
