import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMountInfo, unescapeMountField } from './mountinfo.ts';

test('parseMountInfo() reads optional fields, escapes and super options', () => {
  const [entry] = parseMountInfo(
    '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue\n',
  );
  assert.deepEqual(entry, {
    id: 36,
    parentId: 35,
    major: 98,
    minor: 0,
    root: '/mnt1',
    mountPoint: '/mnt 2',
    options: ['rw', 'noatime'],
    propagation: ['shared:1', 'master:2'],
    type: 'ext3',
    source: '/dev/root',
    superOptions: ['rw', 'errors=continue'],
  });
});

test('parseMountInfo() leaves out lines that are not of the format', () => {
  assert.deepEqual(parseMountInfo('\nnonsense\n1 2 3\n'), []);
});

const escapeField = (path: string): string =>
  path.replace(/[ \t\n\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

test('unescapeMountField() undoes the escapes of the kernel', () => {
  fc.assert(fc.property(fc.string(), (path) => unescapeMountField(escapeField(path)) === path));
});

test('parseMountInfo() finds any mount point again', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.array(fc.constantFrom('shared:1', 'master:7', 'unbindable')),
      (name, tags) => {
        const point = `/${name}`.replaceAll('\r', '');
        const line = ['1 2 0:3 /', escapeField(point), 'rw', ...tags, '- tmpfs none rw'].join(' ');
        const [entry] = parseMountInfo(line);
        assert.equal(entry?.mountPoint, point);
        assert.deepEqual(entry?.propagation, tags);
        assert.equal(entry?.type, 'tmpfs');
      },
    ),
  );
});

test('parseMountInfo() never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseMountInfo(text))));
});
