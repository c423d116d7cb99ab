import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../scripts/lib/delay.ts';
import { DEPENDS } from '../scripts/lib/release/deb.ts';
import { ROOT } from '../scripts/lib/root.ts';
import { must } from '../scripts/lib/run.ts';
import { debianRoot } from './lib/debian-root.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { OwnHost } from './lib/own-host.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-release-'));
const root = join(scratch, 'root');
const BUILD = join(ROOT, 'scripts/build.ts');
let machine: OwnHost;
let pid: number;
let deb: string;
const ENABLED = '/etc/systemd/system/multi-user.target.wants/wharf.service';
let archive: string;

const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a command on a Debian 12 that knows nothing of us: its own root, mounts and network. */
const inside = (...command: readonly string[]) =>
  machine.run('nsenter', '-t', String(pid), '--mount', '--wdns=/', ...command);

async function insideOk(...command: readonly string[]): Promise<string> {
  const { code, stdout, output } = await inside('env', '-i', PATH, ...command);
  assert.equal(code, 0, `${command.join(' ')}: ${output}`);
  return stdout;
}

/** A root that is the root of its mounts, as a machine has it: the daemon's threads leave a mere chroot(2) by their setns(2). */
const TURN = `
  mount --bind "$0" "$0"
  for place in proc sys dev; do mount --rbind "/$place" "$0/$place"; done
  cd "$0"
  pivot_root . mnt
  umount -l /mnt
  exec sleep infinity`;

before(async () => {
  const names = DEPENDS.map((each) => each.split(' ')[0] ?? '');
  const unpacked = async () => {
    const tar = await debianRoot(
      `release-${createHash('sha256').update(names.join()).digest('hex').slice(0, 8)}`,
      names,
    );
    mkdirSync(root);
    await must(['tar', '-C', root, '-xf', tar, '--exclude=./dev/*']);
  };
  const build = must([process.execPath, '--disable-warning=ExperimentalWarning', BUILD, '--fast', '--output', scratch]);
  await Promise.all([unpacked(), build]);
  const built = readdirSync(scratch);
  deb = built.find((name) => name.endsWith('.deb')) ?? '';
  archive = built.find((name) => name.endsWith('.tar.gz')) ?? '';
  machine = await OwnHost.start();
  pid = machine.spawn('unshare', '--mount', 'sh', '-ec', TURN, root).pid ?? 0;
  await until('the root is turned', () => (readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n' ? true : undefined));
  await must(['cp', join(scratch, deb), join(root, 'root')]);
});

after(async () => {
  await machine?.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

test('the Debian package installs where there is no Node, and tells its version', async () => {
  assert.notEqual((await inside('sh', '-c', 'command -v node || command -v docker')).code, 0);
  await insideOk('dpkg', '--force-unsafe-io', '-i', `/root/${deb}`);
  assert.match(await insideOk('wharf', '--version'), /^wharf version \d+\.\d+\.\d+\n$/);
  assert.match(await insideOk('wharfd', '--version'), /^wharfd version \d/);
  assert.equal(await insideOk('readlink', ENABLED), '/lib/systemd/system/wharf.service\n');
  const file = 'services: {web: {image: nginx, profiles: [x]}}';
  assert.match(await insideOk('sh', '-c', `echo '${file}' | wharf compose -p p -f - config --profiles`), /^x\n$/);
  const doctor = JSON.parse((await inside('env', '-i', PATH, 'wharf', 'doctor', '--json')).stdout) as {
    healthy: boolean;
  };
  assert.equal(typeof doctor.healthy, 'boolean');
  const none = await inside('env', '-i', PATH, 'wharf', 'ps');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /unix:\/\/\/run\/wharf\.sock/);
});

test('an administrator\'s "disable" outlasts an upgrade', async () => {
  // As systemctl(1) does it.
  await insideOk('rm', ENABLED);
  // What dpkg runs at the end of an upgrade.
  const environment = ['DPKG_MAINTSCRIPT_PACKAGE=wharf', 'DPKG_MAINTSCRIPT_NAME=postinst'];
  await insideOk('env', ...environment, '/var/lib/dpkg/info/wharf.postinst', 'configure', '0.0.9');
  assert.equal((await inside('readlink', ENABLED)).code, 1);
});

test('unit, manual, completions and licences are where Debian looks for them, and nothing bears the name of a builder', async () => {
  const list = await must(['dpkg-deb', '-c', join(scratch, deb)]);
  for (const file of [
    'usr/lib/systemd/system/wharf.service',
    'usr/share/man/man1/wharf-container-ls.1',
    'usr/share/bash-completion/completions/wharf',
    'usr/share/zsh/vendor-completions/_wharf',
    'usr/share/fish/vendor_completions.d/wharf.fish',
    'usr/share/doc/wharf/licenses/node',
  ]) {
    assert.ok(list.includes(` ./${file}\n`), file);
  }
  assert.deepEqual(list.match(/.*(?:\.test\.|\.ts$).*/gm), null);
  assert.ok(
    list.split('\n').every((line) => line === '' || / 0\/0 /.test(line)),
    "everything is root's",
  );
  assert.match(await insideOk('grep', 'ExecStart', '/usr/lib/systemd/system/wharf.service'), /=\/usr\/sbin\/wharfd$/m);
  const offered = await insideOk('bash', '-c', BASH_COMPLETION);
  assert.deepEqual(offered.trim().split('\n').toSorted(), ['start', 'stats', 'stop']);
});

/** What bash offers for `wharf container st`. */
const BASH_COMPLETION = `
  source /usr/share/bash-completion/completions/wharf
  COMP_LINE='wharf container st' COMP_POINT=18 COMP_WORDBREAKS=' :='
  _wharf_complete && printf '%s\\n' "\${COMPREPLY[@]}"`;

test('the daemon of the package runs a container, which its own command line lists, enters and removes', async () => {
  const daemon = machine.spawn(
    'nsenter',
    '-t',
    String(pid),
    '--mount',
    'env',
    '-i',
    PATH,
    'wharfd',
    '--bip',
    '10.175.0.1/24',
  );
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  await until(
    'the daemon answers',
    async () => ((await inside('env', '-i', PATH, 'wharf', 'version')).code === 0 ? true : undefined),
    {
      timeoutMs: 20_000,
    },
  );
  await loadBusybox(`unix://${join(root, 'run/wharf.sock')}`);
  assert.equal(await insideOk('wharf', 'run', '--rm', BUSYBOX, 'echo', 'from within'), 'from within\n');
  await insideOk(
    'wharf',
    'run',
    '-d',
    '--name',
    'web',
    '-p',
    '8080:80',
    BUSYBOX,
    'httpd',
    '-f',
    '-p',
    '80',
    '-h',
    '/bin',
  );
  try {
    assert.match(await insideOk('wharf', 'ps'), /0\.0\.0\.0:8080->80\/tcp.* web\n/);
    assert.equal(
      await insideOk('wharf', 'exec', 'web', 'hostname', '-i').then((text) => text.slice(0, 9)),
      '10.175.0.',
    );
    assert.match(await insideOk('wharf', 'version'), /Server:/);
  } finally {
    await insideOk('wharf', 'rm', '-f', 'web');
    daemon.kill('SIGTERM');
    await ended;
  }
});

test('removal leaves the data and nothing else', async () => {
  await insideOk('dpkg', '--remove', 'wharf');
  assert.equal((await inside('sh', '-c', 'ls -d /usr/lib/wharf /usr/bin/wharf /var/cache/wharf')).stdout, '');
  const purged = await inside('env', '-i', PATH, 'dpkg', '--purge', 'wharf');
  assert.equal(purged.code, 0, purged.output);
  assert.match(purged.output, /\/var\/lib\/wharf is kept/);
  assert.equal((await inside('sh', '-c', 'find / -xdev -name "*wharf.service*"')).stdout, '');
  assert.equal(
    await insideOk('sh', '-c', 'ls -d /var/lib/wharf /usr/lib/wharf /etc/wharf /var/cache/wharf 2>/dev/null || true'),
    '/var/lib/wharf\n',
  );
});

test('the archive runs from wherever it is unpacked, through a link too', async () => {
  await must(['tar', '-C', join(root, 'opt'), '-xzf', join(scratch, archive)]);
  const name = archive.replace('.tar.gz', '');
  await insideOk('ln', '-s', `/opt/${name}/bin/wharf`, '/usr/local/bin/docker');
  assert.match(await insideOk(`/opt/${name}/bin/wharf`, '--version'), /^wharf version /);
  assert.match((await inside('/usr/local/bin/docker', 'nothing')).stderr, /^docker: unknown command: docker nothing\n/);
  assert.match(await insideOk(`/opt/${name}/bin/wharfd`, '--version'), /^wharfd version /);
});
