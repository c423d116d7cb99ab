import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';
import { WHARF, wharfUser } from './lib/wharf-user.ts';

const NAMES = [uniqueName('listed'), uniqueName('listed')];
const daemon = daemonForFile({
  async prepare(started) {
    for (const name of NAMES)
      await started.ok('run', '-d', '--name', name, '--label', 'of=listing', BUSYBOX, 'sleep', '600');
    await started.ok('volume', 'create', 'kept');
  },
});
const { wharf, environment } = wharfUser(() => daemon().host);
const QUICK = join(ROOT, 'packages/wharf/src/listing/quick.pl');

/** What the daemon prints for the line by itself; `undefined` when it leaves the line to the command. */
async function quick(
  line: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const { code, stdout } = await run(['/usr/bin/perl', QUICK, '/bin/false', ...line], { env: environment(more) });
  return code === 0 ? stdout : undefined;
}

/** Ages change while one looks. */
const ageless = (text: string | undefined) =>
  text?.replaceAll(/(Less than |About )?(a|an|\d+) (second|minute)s?( ago)?/g, 'AGE');

test('a plain listing is printed by the daemon as the command prints it, and as docker does', async () => {
  const lines = [
    'ps',
    'ps -aq --no-trunc',
    'ps -n 1',
    'ps -f label=of=listing',
    'ps --format {{.Names}}:{{.ID}}',
    'ps --format json',
    `inspect ${NAMES[0]}`,
    `inspect -f {{.State.Pid}} ${NAMES.join(' ')}`,
    'inspect --type volume kept',
    'images --format table{{.Repository}}',
    'images',
    'images --digests busybox',
    'network ls',
    'volume ls -q',
  ];
  for (const line of lines) {
    const words = line.split(' ');
    const [fromDaemon, whole, slow, docker] = await Promise.all([
      quick(words),
      wharf(words),
      wharf(words, { env: environment({ WHARF_QUICK: 'no' }) }),
      daemon().docker(words),
    ]);
    assert.notEqual(fromDaemon, undefined, line);
    assert.equal(ageless(fromDaemon)?.replaceAll(/ +/g, ' '), ageless(slow.stdout)?.replaceAll(/ +/g, ' '), line);
    assert.equal(ageless(whole.stdout)?.replaceAll(/ +/g, ' '), ageless(docker.stdout)?.replaceAll(/ +/g, ' '), line);
  }
});

test('what the daemon cannot know is left to the command: templates, errors, settings, another context', async () => {
  for (const line of [
    'ps --format {{range.Names}}x{{end}}',
    'ps --format {{.Nope}}',
    'ps --format {{upper .Names}}',
    'inspect nobody',
    'inspect',
    'ps -s',
    'ps --help',
    'ps x',
    'ps --nope',
    'ps -f nope=x',
    'images --tree',
    'top x',
  ]) {
    assert.equal(await quick(line.split(' ')), undefined, line);
  }
  assert.equal(await quick(['ps'], { NO_COLOR: '1' }), undefined);
  assert.equal(await quick(['ps'], { WHARF_HOST: 'tcp://127.0.0.1:1' }), undefined);
  assert.equal(await quick(['ps'], { WHARF_HOST: 'unix:///nowhere.sock' }), undefined);
  const config = join(environment()['DOCKER_CONFIG'] ?? '', 'config.json');
  writeFileSync(config, '{"psFormat":"{{.Names}}"}');
  try {
    assert.equal(await quick(['ps']), undefined);
    assert.deepEqual((await wharf(['ps'])).stdout.split('\n').filter(Boolean).toSorted(), [...NAMES].toSorted());
  } finally {
    rmSync(config);
  }
});

test('a line that is left to the command has its errors, its status and its output', async () => {
  const wrong = await wharf(['ps', '--nope']);
  assert.deepEqual([wrong.code, wrong.stdout], [125, '']);
  assert.match(wrong.stderr, /^unknown flag: --nope\n/);
  const nobody = await run([WHARF, '-H', 'unix:///nowhere.sock', 'ps'], { env: environment() });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /nowhere\.sock/);
  assert.equal((await wharf(['ps', '--format', '{{.Names}}'])).stdout.split('\n').length, NAMES.length + 1);
});

test('a terminal gets a table of its width', async () => {
  const narrow = `stty cols 50; ${WHARF} images`;
  const { stdout } = await run(['script', '-qec', narrow, '/dev/null'], { env: environment({ TERM: 'xterm' }) });
  const slow = await run(['script', '-qec', narrow, '/dev/null'], {
    env: environment({ TERM: 'xterm', WHARF_QUICK: 'no' }),
  });
  assert.equal(ageless(stdout), ageless(slow.stdout));
  assert.match(stdout, /\u001b\[1m/);
});
