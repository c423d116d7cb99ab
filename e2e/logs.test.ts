import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();

async function finished(script: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sh', '-c', script);
  await daemon().ok('wait', name);
  return name;
}

test('docker logs gives back both streams', async () => {
  const name = await finished('echo out; echo err >&2');
  const result = await daemon().docker(['logs', name]);
  assert.deepEqual({ out: result.stdout, err: result.stderr }, { out: 'out\n', err: 'err\n' });
});

test('docker logs --tail counts lines', async () => {
  const name = await finished('seq 1 1000');
  assert.equal(await daemon().ok('logs', '--tail', '3', name), '998\n999\n1000');
  assert.equal((await daemon().ok('logs', name)).split('\n').length, 1000);
  assert.equal(await daemon().ok('logs', '--tail', '0', name), '');
});

test('docker logs -t writes times with nine digits', async () => {
  const name = await finished('echo x');
  assert.match(await daemon().ok('logs', '-t', name), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z x$/);
});

test('docker logs --since and --until cut by time', async () => {
  const name = await finished('echo early; sleep 1.2; echo late');
  const early = (await daemon().ok('logs', '-t', name)).split('\n')[0]?.split(' ')[0] ?? '';
  const cut = new Date(Date.parse(early) + 600).toISOString();
  assert.equal(await daemon().ok('logs', '--since', cut, name), 'late');
  assert.equal(await daemon().ok('logs', '--until', cut, name), 'early');
});

test('docker logs -f follows to the end', async () => {
  const name = uniqueName();
  await daemon().ok(
    'run',
    '-d',
    '--name',
    name,
    BUSYBOX,
    'sh',
    '-c',
    'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done',
  );
  assert.equal(await daemon().ok('logs', '-f', name), '1\n2\n3\n4\n5');
});

test('docker logs -f misses and repeats nothing over rotation', async () => {
  const name = uniqueName();
  const options = ['--log-opt', 'max-size=100k', '--log-opt', 'max-file=20'];
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sh', '-c', 'sleep 0.5; seq 1 50000');
  const followed = (await daemon().docker(['logs', '-f', name])).stdout.trimEnd().split('\n');
  const wrong = followed.findIndex((line, index) => line !== String(index + 1));
  assert.equal(wrong, -1, `line ${wrong + 1} is "${followed[wrong]}"`);
  assert.equal(followed.length, 50_000);
});

test('docker logs keeps lines without end and long ones whole', async () => {
  const name = await finished("printf 'no end'; head -c 100000 /dev/zero | tr '\\0' x");
  assert.equal((await daemon().docker(['logs', name])).stdout, `no end${'x'.repeat(100_000)}`);
});

test('docker logs works for local and says so for none', async () => {
  const local = await finished('echo kept', '--log-driver', 'local');
  assert.equal(await daemon().ok('logs', local), 'kept');
  const none = await finished('echo lost', '--log-driver', 'none');
  assert.match((await daemon().docker(['logs', none])).stderr, /configured logging driver does not support reading/);
});

test('docker logs outlives runs of the container', async () => {
  const name = await finished('echo run');
  await daemon().ok('start', '-a', name);
  assert.equal(await daemon().ok('logs', name), 'run\nrun');
});

test('docker attach shows what comes from then on', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sh', '-c', 'sleep 1; echo later; exit 3');
  const result = await daemon().docker(['attach', name]);
  assert.deepEqual({ code: result.code, out: result.stdout }, { code: 3, out: 'later\n' });
});

test('following the log of a container that never ran, or could not be started, ends at once', async () => {
  const fresh = uniqueName();
  await daemon().ok('create', '--name', fresh, BUSYBOX, 'true');
  assert.equal(await daemon().ok('logs', '-f', fresh), '');
  const failed = uniqueName();
  const mount = 'type=volume,src=empty,dst=/x,volume-subpath=missing';
  await daemon().ok('create', '--name', failed, '--mount', mount, BUSYBOX, 'true');
  assert.match((await daemon().docker(['start', failed])).stderr, /cannot access path/);
  assert.equal(await daemon().ok('logs', '-f', failed), '');
});

/** All that attach with `logs=1&stream=1` gives until the daemon ends the stream. */
async function attachedText(name: string, seen: (text: string) => void = () => {}): Promise<string> {
  const socket = connect(daemon().socketPath);
  socket.write(
    `POST /containers/${name}/attach?logs=1&stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
  );
  let data = Buffer.alloc(0);
  let text = '';
  let head = true;
  for await (const piece of socket) {
    data = Buffer.concat([data, piece as Buffer]);
    if (head) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) continue;
      assert.match(data.toString('latin1', 0, end), /^HTTP\/1\.1 101 /);
      data = data.subarray(end + 4);
      head = false;
    }
    for (
      ;
      data.length >= 8 && data.length >= 8 + data.readUInt32BE(4);
      data = data.subarray(8 + data.readUInt32BE(4))
    ) {
      text += data.toString('utf8', 8, 8 + data.readUInt32BE(4));
    }
    seen(text);
  }
  assert.equal(data.length, 0, 'the last frame is whole');
  return text;
}

for (const driver of ['json-file', 'local']) {
  test(`attach with logs=1 under load loses and repeats nothing (${driver})`, async () => {
    const name = uniqueName();
    const script = 'i=0; while [ $i -lt 40 ]; do i=$((i+1)); seq ${i}0001 ${i}9999; sleep 0.02; done';
    const options = ['--log-driver', driver, '--log-opt', 'max-size=1m', '--log-opt', 'max-file=50'];
    await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sh', '-c', script);
    const clients: Promise<string>[] = [];
    for (let client = 0; client < 6; client++) {
      clients.push(attachedText(name));
      await setTimeout(120);
    }
    const expected = await daemon().ok('logs', '-f', name);
    assert.equal(expected.split('\n').length, 40 * 9999);
    for (const text of await Promise.all(clients)) {
      assert.equal(text.length, expected.length + 1);
      assert.ok(text === `${expected}\n`, 'every byte once and in order');
    }
  });
}

test('attach with logs=1 shows the beginning of a line before its end', async () => {
  const name = uniqueName();
  const script = 'printf begun; until test -e /go; do sleep 0.05; done; echo " and ended"';
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sh', '-c', script);
  const begun = Promise.withResolvers<void>();
  const all = attachedText(name, (text) => {
    if (text === 'begun') begun.resolve();
  });
  await begun.promise;
  await daemon().ok('exec', name, 'touch', '/go');
  assert.equal(await all, 'begun and ended\n');
});
