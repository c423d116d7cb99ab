import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Upload } from './files.ts';
import { tarOf } from './tar.ts';

const file = (target: string, content: string, more: Partial<Upload> = {}): Upload => ({
  kind: 'secret',
  target,
  content: Buffer.from(content),
  mode: 0o444,
  uid: 0,
  gid: 0,
  owned: false,
  ...more,
});

test('tarOf() makes an archive that tar reads: owners, modes, contents and long names', () => {
  const long = `/${'d'.repeat(90)}/${'e'.repeat(60)}`;
  const archive = tarOf(
    [file('/run/secrets/a', 'x'.repeat(600), { mode: 0o400, uid: 1000, gid: 5 }), file(long, 'long')],
    0,
  );
  const listed = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], { input: archive, encoding: 'utf8' });
  assert.match(listed, /^-r-------- 1000\/5\s+600 1970-01-01 \S+ run\/secrets\/a$/m);
  assert.ok(listed.includes(long.slice(1)));
  assert.equal(execFileSync('tar', ['-xOf', '-', long.slice(1)], { input: archive, encoding: 'utf8' }), 'long');
});
