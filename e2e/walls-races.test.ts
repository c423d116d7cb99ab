import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-races-e2e-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** The host's own: nothing may come in or out of it. */
const host = join(scratch, 'host');
mkdirSync(join(host, 'inner'), { recursive: true });
for (const path of ['secret', 'inner/secret']) writeFileSync(join(host, path), 'precious');

function hostIsUntouched(): void {
  assert.equal(readdirSync(host, { recursive: true }).length, 3);
  for (const path of ['secret', 'inner/secret']) assert.equal(readFileSync(join(host, path), 'utf8'), 'precious');
}

const PERL = ['-v', '/usr:/usr:ro', '-v', '/usr/lib:/lib:ro', '-v', '/usr/lib64:/lib64:ro'];

/** A container in which `place` is now a directory, now a link to the host's, some ten thousand times a second. */
async function swapper(place: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName('swap');
  const up = '../'.repeat(12);
  const code = `
    mkdir "${place}"; mkdir "${place}/inner";
    for my $f ("${place}/secret", "${place}/inner/secret") { open(my $h, ">", $f); print $h "own"; close $h }
    symlink("${up}${host.slice(1)}", "${place}.link") or die $!;
    $| = 1; print "ready\\n"; my $end = time + 60;
    while (time < $end) {
      rename("${place}", "${place}.dir"); rename("${place}.link", "${place}");
      rename("${place}", "${place}.link"); rename("${place}.dir", "${place}");
    }`;
  const limits = ['--network', 'none', '--cpus', '1'];
  await daemon().ok('run', '-d', '--name', name, ...limits, ...PERL, ...options, BUSYBOX, '/usr/bin/perl', '-e', code);
  await eventually('it swaps', async () => (await daemon().ok('logs', name)).includes('ready'));
  return name;
}

const ROUNDS = 25;

test('an exec in a working directory that is swapped for a link stays in the container', async () => {
  const name = await swapper('/swap');
  for (let round = 0; round < ROUNDS; round++) {
    const result = await daemon().docker(['exec', '-w', '/swap/inner', name, 'sh', '-c', 'cat secret; echo x > new']);
    assert.doesNotMatch(result.output, /precious/);
  }
  hostIsUntouched();
  await daemon().ok('rm', '-f', name);
});
