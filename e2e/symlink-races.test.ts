import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { encodeTarHeader, TAR_END, tarPadding } from '@wharf/oci/tar/write';
import { HttpClient } from '@wharf/wire/http/client';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const COPIES = 500;
const daemon = daemonForFile();
/** A directory of the host's that no container has; what stands in it nobody may read or write. */
const outside = mkdtempSync(join(tmpdir(), 'wharf-outside-'));
after(() => rmSync(outside, { recursive: true, force: true }));

const client = () => new HttpClient(daemon().host);
before(() => {
  mkdirSync(join(outside, 'inner'));
  writeFileSync(join(outside, 'secret'), 'of the host');
});

/** Swaps `$1/d` between a directory and a link to `$2`, as fast as a shell can, by renames as well as anew. */
const SWAP = `
cd "$1"; mkdir -p real; echo mine > real/secret
while true; do
  rm -rf d; mkdir d; echo mine > d/secret
  rm -rf d; ln -s "$2" d
  rm -f d; ln -s real d; ln -s "$2" l; mv -f l d
done`;

async function startSwapper(options: { readonly args: readonly string[]; readonly place: string }): Promise<string> {
  const name = uniqueName('swapper');
  const { args, place } = options;
  await daemon().ok('run', '-d', '--name', name, ...args, BUSYBOX, 'sh', '-c', SWAP, 'swap', place, outside);
  return name;
}

function archive(name: string, content: string): Buffer {
  const sizeBytes = Buffer.byteLength(content);
  const header = encodeTarHeader({ name, type: 'file', mode: 0o644, sizeBytes });
  return Buffer.concat([header, Buffer.from(content), tarPadding(sizeBytes), TAR_END]);
}

/** Runs `work` so often, a few at a time. */
async function times(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

function assertUntouched(): void {
  assert.deepEqual(readdirSync(outside).sort(), ['inner', 'secret']);
  assert.deepEqual(readdirSync(join(outside, 'inner')), []);
  assert.equal(statSync(join(outside, 'secret')).size, 'of the host'.length);
}

test('copies in and out never leave a container that swaps symlinks meanwhile', async () => {
  const swapper = await startSwapper({ args: ['-v', 'racing:/race'], place: '/race' });
  const seen = { copied: 0, refused: 0 };
  await times(COPIES, async (index) => {
    const path = `/containers/${swapper}/archive?path=${encodeURIComponent('/race/d')}`;
    if (index % 2 === 0) {
      const body = archive(index % 4 === 0 ? 'planted' : 'inner/planted', 'x');
      const { status } = await client().request({ method: 'PUT', path, body });
      assert.ok([200, 400, 404, 500].includes(status), String(status));
      if (status === 200) seen.copied += 1;
      else seen.refused += 1;
      return;
    }
    const response = await client().stream({ path: `${path}%2Fsecret` });
    const answer = await text(response);
    assert.doesNotMatch(answer, /of the host/);
    if (response.statusCode === 200) seen.copied += 1;
    else seen.refused += 1;
  });
  await daemon().ok('rm', '-f', swapper);
  assertUntouched();
  // Both happened, or nothing was tried.
  assert.ok(seen.copied > 0 && seen.refused > 0, JSON.stringify(seen));
});

test('volume subpaths and binds below a volume show what is in the volume, or nothing', async () => {
  const swapper = await startSwapper({ args: ['-v', 'racing:/race'], place: '/race' });
  const data = await daemon().ok('volume', 'inspect', '-f', '{{.Mountpoint}}', 'racing');
  const mounts = [
    { Type: 'volume', Source: 'racing', Target: '/m', VolumeOptions: { Subpath: 'd' } },
    { Type: 'bind', Source: join(data, 'd'), Target: '/m', BindOptions: { CreateMountpoint: true } },
  ];
  await times(40, async (index) => {
    const name = uniqueName('victim');
    const body = {
      Image: BUSYBOX,
      Tty: true,
      Cmd: ['sh', '-c', 'cat /m/secret; echo x > /m/planted; true'],
      HostConfig: { Mounts: [mounts[index % 2]], NetworkMode: 'none' },
    };
    const made = await client().request({ method: 'POST', path: `/containers/create?name=${name}`, body });
    if (made.status !== 201) return;
    const started = await client().request({ method: 'POST', path: `/containers/${name}/start` });
    if (started.status === 204) {
      await client().request({ method: 'POST', path: `/containers/${name}/wait` });
      const log = await client().request({ path: `/containers/${name}/logs?stdout=1&stderr=1` });
      assert.doesNotMatch(log.text, /of the host/);
    }
    await client().request({ method: 'DELETE', path: `/containers/${name}?force=1` });
  });
  await daemon().ok('rm', '-f', swapper);
  assertUntouched();
});

test('a bind below what another container has bound follows no link it has put there since', async () => {
  const shared = mkdtempSync(join(tmpdir(), 'wharf-shared-'));
  try {
    mkdirSync(join(shared, 'd'));
    const victim = uniqueName('victim');
    await daemon().ok('create', '--name', victim, '-v', `${join(shared, 'd')}:/m`, BUSYBOX, 'ls', '/m');
    const swap = `rmdir /s/d; ln -s ${outside} /s/d`;
    const other = uniqueName('other');
    await daemon().ok('run', '--name', other, '-v', `${shared}:/s`, BUSYBOX, 'sh', '-c', swap);
    const refused = await daemon().docker(['start', '-a', victim]);
    assert.match(refused.output, /leads out of .*, which other containers can write in/);
    // A link within the tree is the application's own business.
    await daemon().ok('run', '--rm', '-v', `${shared}:/s`, BUSYBOX, 'sh', '-c', 'rm /s/d; mkdir /s/e; ln -s e /s/d');
    await daemon().ok('start', '-a', victim);
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
  assertUntouched();
});

test('a missing bind source is made inside the tree, not where a link leads', async () => {
  await daemon().ok(
    'run',
    '--rm',
    '-v',
    'racing:/race',
    BUSYBOX,
    'sh',
    '-c',
    `rm -rf /race/*; ln -s ${outside} /race/d`,
  );
  const data = await daemon().ok('volume', 'inspect', '-f', '{{.Mountpoint}}', 'racing');
  const refused = await daemon().docker(['run', '--rm', '-v', `${data}/d/made/here:/m`, BUSYBOX, 'true']);
  assert.match(refused.output, /which other containers can write in/);
  assert.ok(!existsSync(join(outside, 'made')));
  // A link in a volume is no user's, even where it was there before the container that names it.
  const led = await daemon().docker(['run', '--rm', '-v', `${data}/d:/m`, BUSYBOX, 'ls', '/m']);
  assert.match(led.output, /which other containers can write in/);
  await daemon().ok('run', '--rm', '-v', `${data}/new/one:/m`, BUSYBOX, 'touch', '/m/x');
  assert.ok(existsSync(join(data, 'new/one/x')));
  assertUntouched();
});
