import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { riscvProgram } from './lib/riscv-program.ts';
import { fetchFromDebian } from './lib/sid.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile({ image: false });
const buildx = new Buildx(daemon);
before(() => buildx.prepare());

const BINFMT = '/proc/sys/fs/binfmt_misc';
const HANDLER = `wharf-e2e-${process.pid}`;
const MAGIC = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xf3\\x00';
const MASK = '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff';

let isMounted = false;
after(async () => {
  unregister();
  if (isMounted) await must(['umount', BINFMT]);
});

/** Has the kernel start programs for riscv64 by Debian's emulator. */
async function register(flags: string): Promise<void> {
  const debian = await fetchFromDebian('qemu-user-static', ['qemu-user-static']);
  if (!existsSync(join(BINFMT, 'register'))) {
    await must(['mount', '-t', 'binfmt_misc', 'binfmt_misc', BINFMT]);
    isMounted = true;
  }
  const emulator = join(debian, 'usr/bin/qemu-riscv64-static');
  writeFileSync(join(BINFMT, 'register'), `:${HANDLER}:M::${MAGIC}:${MASK}:${emulator}:${flags}`);
}

function unregister(): void {
  if (existsSync(join(BINFMT, HANDLER))) writeFileSync(join(BINFMT, HANDLER), '-1');
}

/** Another handler for the architecture, of the machine's own. */
function isEmulatedAnyway(): boolean {
  return existsSync(join(BINFMT, 'qemu-riscv64'));
}

function context(): string {
  const folder = buildx.context({
    Dockerfile:
      'FROM scratch\nCOPY --chmod=755 program /program\nRUN ["/program"]\nFROM scratch\nCOPY --from=0 /made /\n',
  });
  writeFileSync(join(folder, 'program'), riscvProgram({ path: '/made', text: 'made by riscv64\n' }));
  return folder;
}

const build = (...options: readonly string[]) =>
  buildx.run('build', '--progress=plain', '--platform=linux/riscv64', ...options, context());

test('a command for a foreign architecture is refused with what is missing', async (t) => {
  if (isEmulatedAnyway()) return t.skip('this machine has an emulator for riscv64');
  const failed = await build();
  assert.notEqual(failed.code, 0);
  assert.match(failed.output, /RUN \["\/program"\]/);
  assert.match(
    failed.output,
    /Cannot run a command for linux\/riscv64 on linux\/\w+ \(exec format error\): no emulator/,
  );
  assert.match(failed.output, /apt-get install qemu-user-static/);
  await register('');
  const unfixed = await build();
  unregister();
  assert.match(unfixed.output, /without the flag F/);
});

test('with an emulator it runs, and clients are told that it can', async () => {
  await register('F');
  const out = buildx.place();
  const built = await build('-o', out);
  assert.equal(built.code, 0, built.output);
  assert.equal(readFileSync(join(out, 'made'), 'utf8'), 'made by riscv64\n');
  assert.match((await buildx.run('inspect')).output, /Platforms:.*linux\/riscv64/);
  const image = uniqueName('emulated');
  assert.equal((await build('-t', image, '--target', '0', '--load')).code, 0);
  assert.equal(await daemon().ok('image', 'inspect', '-f', '{{.Architecture}}', image), 'riscv64');
  unregister();
});
