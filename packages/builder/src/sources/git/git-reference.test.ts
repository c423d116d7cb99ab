import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGitReference } from './git-reference.ts';

const plain = {
  ...{ ref: '', subdirectory: '', checksum: '', keepGitDir: undefined, submodules: undefined },
  ...{ mtime: 'checkout', fetchByCommit: false },
};

test('parseGitReference() reads every form of an address', () => {
  const https = { ...plain, remote: 'https://h.example/a/b.git', protocol: 'https', host: 'h.example' };
  assert.deepEqual(parseGitReference('https://h.example/a/b.git'), https);
  assert.deepEqual(parseGitReference('https://h.example/a/b.git#v1:x/../y/'), {
    ...https,
    ref: 'v1',
    subdirectory: 'y',
  });
  assert.deepEqual(parseGitReference('https://h.example/a/b.git#:..'), https);
  assert.deepEqual(parseGitReference('github.com/a/b'), {
    ...https,
    remote: 'https://github.com/a/b',
    host: 'github.com',
  });
  assert.deepEqual(parseGitReference('git@h.example:a/b.git#main:docs'), {
    ...{ ...plain, remote: 'git@h.example:a/b.git', protocol: 'ssh', host: 'h.example' },
    ...{ ref: 'main', subdirectory: 'docs' },
  });
  assert.equal(parseGitReference('ssh://git@h.example:22/b.git')?.protocol, 'ssh');
  assert.equal(parseGitReference('git://h.example:9418/b')?.host, 'h.example:9418');
});

test('parseGitReference() reads queries, and refuses those that contradict', () => {
  const read = (query: string) => parseGitReference(`https://h.example/b.git${query}`);
  assert.equal(read('?branch=main')?.ref, 'refs/heads/main');
  assert.equal(read('?tag=v1&subdir=/a/b&keep-git-dir&submodules=false&checksum=0123456789')?.ref, 'refs/tags/v1');
  assert.deepEqual(read('?tag=v1&subdir=/a/b&keep-git-dir&submodules=false&checksum=0123456789'), {
    ...{ remote: 'https://h.example/b.git', protocol: 'https', host: 'h.example', ref: 'refs/tags/v1' },
    ...{ subdirectory: 'a/b', checksum: '0123456789', keepGitDir: true, submodules: false },
    ...{ mtime: 'checkout', fetchByCommit: false },
  });
  assert.equal(read('?mtime=commit')?.mtime, 'commit');
  assert.equal(read('?fetch-by-commit&checksum=0123456')?.fetchByCommit, true);
  for (const query of [
    '?mtime=now',
    '?branch=a&tag=b',
    '?ref=a#b',
    '?ref=a&ref=b',
    '?ref=',
    '?depth=1',
    '?keep-git-dir=maybe',
  ]) {
    assert.throws(() => read(query), { kind: 'invalid-argument' }, query);
  }
});

test('parseGitReference() passes over what is no repository', () => {
  for (const text of [
    'https://h.example/a',
    'https://h.example/a.git.tar',
    './a.git',
    'a.git',
    'file:///a.git',
    'ext::sh -c id',
  ]) {
    assert.equal(parseGitReference(text), undefined, text);
  }
});

test('parseGitReference() refuses what git could take for an option or a command', () => {
  const hostile = [
    'https://h.example/b.git#--upload-pack=id',
    'https://h.example/b.git#+refs/heads/*',
    'https://h.example/b.git#a:../../b\0',
    'ssh://-oProxyCommand=id/b.git',
    'git@-oProxyCommand:b.git',
    'https://h.example/b.git#a..b',
    'https://h.example/b.git?checksum=--id0123',
    'git@h.example:b.git\n[core]',
  ];
  for (const text of hostile) {
    let taken: unknown;
    try {
      taken = parseGitReference(text);
    } catch (error) {
      assert.equal((error as { readonly kind?: string }).kind, 'invalid-argument', text);
      continue;
    }
    // Some are no address at all.
    assert.equal(taken, undefined, text);
  }
});

test('parseGitReference() shows no password in its errors', () => {
  assert.throws(
    () => parseGitReference('https://me:sesame@h.example/b.git#a..b'),
    (error) => !String(error).includes('sesame'),
  );
});
