import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually, uniqueName } from './lib/suite.ts';

let daemon: TestDaemon;

before(async () => {
  daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
});
after(async () => {
  await daemon.dispose();
});

const LINES = 200_000;
const KEPT_BYTES = 10_000_000;
/** The slack of keep-logs.sh, and a block at each end. */
const BOUND_BYTES = KEPT_BYTES + 4_194_304 + 8192;

interface Unattended {
  readonly name: string;
  /** What the monitor writes. */
  readonly spool: string;
}

/** Containers that wait for a file, then print two hundred numbered kilobytes a thousand times and a last line. */
async function start(driver: string): Promise<Unattended> {
  const name = uniqueName();
  const count = `BEGIN { for (i = 1; i <= ${LINES}; i++) printf "%d %0990d\\n", i, 0; print "the end" }`;
  const script = `until test -e /go/${name}; do sleep 0.05; done; awk '${count}'; sleep 100000`;
  const options = ['--log-driver', driver, '--log-opt', 'max-size=2m', '--log-opt', 'max-file=5'];
  const go = ['-v', `${daemon.directory}:/go`];
  const id = await daemon.ok('run', '-d', '--init', '--name', name, ...options, ...go, BUSYBOX, 'sh', '-c', script);
  return { name, spool: join(daemon.dataRoot, 'containers', id, 'log', 'container.log') };
}

const diskBytes = (path: string): number => statSync(path).blocks * 512;

test('what containers print while no daemon runs is bounded: the newest is kept, and no container waits', async () => {
  const containers = [await start('json-file'), await start('local')];
  await daemon.kill();
  for (const { name } of containers) writeFileSync(join(daemon.directory, name), '');
  for (const { spool } of containers) {
    await eventually('all was printed without a daemon', async () => statSync(spool).size > LINES * 990);
    await eventually('the log takes little space', async () => diskBytes(spool) <= BOUND_BYTES);
  }
  await daemon.start();
  for (const { name } of containers) {
    const lines = (await daemon.ok('logs', name)).split('\n');
    assert.equal(lines.at(-1), 'the end', name);
    const numbers = lines.slice(0, -1).map((line) => Number(line.split(' ')[0]));
    assert.equal(numbers.at(-1), LINES);
    const gap = numbers.findIndex((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
    assert.equal(gap, -1, `${name}: ${numbers[gap - 1]} is followed by ${numbers[gap]}`);
    assert.ok(numbers.length > 7000, `${numbers.length} lines of ${name} were kept`);
    assert.equal(await daemon.ok('logs', '--tail', '1', name), 'the end');
  }
  assert.match(daemon.log, /oldest output written while no daemon ran was dropped/);
});

test('who keeps logs bounded leaves with the last container', async () => {
  await start('json-file');
  const keepers = (): readonly number[] => {
    return readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .map(Number)
      .filter((pid) => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          return command.includes('keep-logs.sh') && command.includes(daemon.dataRoot);
        } catch {
          return false;
        }
      });
  };
  await daemon.crash();
  await eventually('one keeper is there for the daemon that runs', async () => keepers().length === 1);
  const containers = (await daemon.ok('ps', '-q')).split('\n');
  await daemon.ok('rm', '-f', ...containers);
  await daemon.kill();
  await eventually('no keeper is left', async () => keepers().length === 0);
  await daemon.start();
});
