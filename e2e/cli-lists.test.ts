import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { bothClients, normalized } from './lib/both-clients.ts';
import { prepareScene } from './lib/list-scene.ts';
import { daemonForFile } from './lib/suite.ts';
import { WHARF } from './lib/wharf-user.ts';

const daemon = daemonForFile({ prepare: (started) => prepareScene(started, clients.folder) });
const clients = bothClients(() => daemon().host);
const { environment, folder, ours: OURS } = clients;

for (const name of ['containers', 'images', 'networks-volumes', 'processes']) {
  test(`${name}: the same bytes and exit codes as docker's`, () => clients.compare(name));
}

test('formats of the configuration hold, and --json is an array of what --format json prints', async () => {
  const settings = join(folder, 'formats');
  mkdirSync(settings);
  const formats = {
    psFormat: 'table {{.Names}}',
    imagesFormat: '{{.ID}}',
    networksFormat: '{{.Name}}',
    volumesFormat: '{{.Name}}',
  };
  writeFileSync(join(settings, 'config.json'), JSON.stringify(formats));
  const theirs = await clients.theirs();
  const env = { ...environment(), DOCKER_CONFIG: settings };
  for (const line of [
    'ps -a',
    'images',
    'network ls',
    'volume ls',
    'images -q',
    'volume ls --format json',
    'stats --no-stream made',
  ]) {
    const [wanted, got] = await Promise.all(
      [theirs, OURS].map((program) => run([program, ...line.split(' ')], { env })),
    );
    assert.ok(wanted && got);
    assert.deepEqual(normalized(got), normalized(wanted), line);
  }
  for (const text of ['{"psFormat": ', 'x', '[]', '']) {
    writeFileSync(join(settings, 'config.json'), text);
    const [wanted, got] = await Promise.all([theirs, OURS].map((program) => run([program, 'ps', '-a'], { env })));
    assert.ok(wanted && got);
    assert.deepEqual(normalized(got), normalized(wanted), text);
  }
  for (const line of ['ps -a', 'images', 'network ls', 'volume ls', 'history busybox:e2e', 'plugin ls']) {
    const words = line.split(' ');
    const [array, lines] = await Promise.all(
      [['--json'], ['--format', 'json']].map((more) => run([OURS, ...words, ...more], { env })),
    );
    assert.ok(array && lines);
    const rows = normalized(lines).stdout.split('\n').filter(Boolean);
    assert.deepEqual(
      JSON.parse(normalized(array).stdout),
      rows.map((row) => JSON.parse(row) as unknown),
      line,
    );
  }
});

/** What a command writes to a terminal of so many columns. */
async function onTerminal(columns: number, line: string, program = WHARF): Promise<string> {
  const env = { ...environment(), TERM: 'xterm', WHARF_QUICK: 'no' };
  const script = `stty cols ${columns} rows 20; ${program} ${line}`;
  return (await run(['script', '-qec', script, '/dev/null'], { env, timeoutMs: 30_000 })).stdout.replaceAll(
    '\r\n',
    '\n',
  );
}

const plain = (text: string) => text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, '');

test('on a terminal lists fit its width and colour health', async () => {
  const lines = ['ps -a', 'images', 'network ls', 'volume ls', 'history busybox:e2e'];
  const looks = [160, 80, 50].flatMap((columns) => lines.map((line) => ({ columns, line })));
  await Promise.all(
    looks.map(async ({ columns, line }) => {
      const shown = plain(await onTerminal(columns, line));
      assert.ok(
        shown.split('\n').every((each) => each.length <= columns),
        `${columns}: ${line}:\n${shown}`,
      );
    }),
  );
  const tree = 'images --tree';
  assert.equal(await onTerminal(70, tree), await onTerminal(70, tree, await clients.theirs()));
  const list = await onTerminal(120, 'ps -a');
  assert.match(list, /\u001b\[31mExited \(3\)/);
  assert.match(list, /\u001b\[1mNAMES/);
  assert.equal(plain(await onTerminal(120, 'ps -aq')), (await run([OURS, 'ps', '-aq'], { env: environment() })).stdout);
});

test('stats is a live table with bars on a terminal, until ctrl-C', async () => {
  const line = `trap : INT; stty cols 110 rows 20; ${WHARF} stats web; echo "status $?"`;
  const env = { ...environment(), TERM: 'xterm' };
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  for await (const chunk of terminal.stdout) {
    const before = shown;
    shown += String(chunk);
    // The second frame is drawn over the first one.
    if (!before.includes('\u001b[2A') && shown.includes('\u001b[2A')) terminal.stdin.write('\u0003');
  }
  const [first = ''] = shown.replaceAll('\r', '').split('\u001b[2A');
  assert.match(first, /\u001b\[\?25l/);
  assert.match(plain(first), /NAME +CPU % +MEMORY +NET I\/O +BLOCK I\/O +PIDS\nweb +\d+\.\d\d% +[▁▂▃▄▅▆▇█]/);
  assert.match(shown.replaceAll('\r', ''), /\u001b\[\?25h(?:.|\n)*status 130\n/);
});
