import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseName, containerPath, goFileMode } from './path-stat.ts';

describe('containerPath()', () => {
  it('cleans as Docker does and keeps what asserts a directory', () => {
    const cases: Record<string, string> = {
      '/a/b': '/a/b',
      'a/b': '/a/b',
      '/a/b/': '/a/b/',
      '/a/b/.': '/a/b/.',
      '/a//./b/..': '/a',
      '../../x': '/x',
      '/': '/',
      '.': '/.',
      '/a/../.': '/.',
      './': '/./',
      '/./': '/./',
      '/a/./': '/a/./',
      '//': '/',
      '/..': '/',
    };
    for (const [given, wanted] of Object.entries(cases)) assert.equal(containerPath(given), wanted, given);
  });
});

describe('baseName()', () => {
  it('is the last part, whatever slashes follow', () => {
    assert.deepEqual(['/a/b', '/a/b/', '/a/.', '/'].map(baseName), ['b', 'b', '.', '/']);
  });
});

describe('goFileMode()', () => {
  it('puts type and special bits where Go has them', () => {
    assert.equal(goFileMode(0o100644), 0o644);
    assert.equal(goFileMode(0o040755), 0x80000000 + 0o755);
    assert.equal(goFileMode(0o041777), 0x80100000 + 0o777);
    assert.equal(goFileMode(0o120777), 0x08000000 + 0o777);
    assert.equal(goFileMode(0o104755), 0x00800000 + 0o755);
    assert.equal(goFileMode(0o102755), 0x00400000 + 0o755);
    assert.equal(goFileMode(0o020666), 0x04200000 + 0o666);
    assert.equal(goFileMode(0o060660), 0x04000000 + 0o660);
    assert.equal(goFileMode(0o010600), 0x02000000 + 0o600);
    assert.equal(goFileMode(0o140600), 0x01000000 + 0o600);
  });
});
