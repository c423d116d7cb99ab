import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { nullLogger } from '@wharf/kit';
import { prepareHybridForCrun } from '@wharf/linux/cgroup';
import { createProcessStreams } from '../streams/streams.ts';
import { createContainer } from '../streams/test-conmon.ts';
import { makeRecord, openLog, readText, tempDirectory } from './test-support.ts';

prepareHybridForCrun();

for (const driver of ['local', 'json-file']) {
  test(`${driver} under conmon: 300,000 lines through many rotations, all seen by a follower`, async (t) => {
    const root = await tempDirectory(t);
    const options = { 'max-size': '1m', 'max-file': '40', compress: 'true' };
    const record = makeRecord({ Type: driver, Config: options });
    const log = openLog(root, record);
    t.after(() => log.remove());
    const monitorLog = await log.prepare();
    assert.ok(monitorLog.driver === 'k8s-file');
    mkdirSync(dirname(monitorLog.path), { recursive: true });
    const script = 'busybox seq 1 150000; sleep 0.2; busybox seq 150001 300000';
    const container = await createContainer(t, {
      args: ['/bin/busybox', 'sh', '-c', script],
      logPath: monitorLog.path,
    });
    const streams = createProcessStreams({ log: nullLogger, onOutput: (bytes) => log.notify(bytes) });
    t.after(() => streams.close());
    await streams.connect(container.io);
    log.attachMonitor(container.io.controlFifoPath);
    const followed = readText(log, { follow: true });
    container.start();
    await container.exited;
    streams.processExited();
    await streams.drained;
    await log.finish();
    const expected = Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join('');
    const text = await followed;
    assert.equal(text.length, expected.length);
    assert.ok(text === expected);
    assert.ok((await readText(log)) === expected, 'nothing was dropped: all files fit');
    assert.equal(await readText(log, { tail: 3 }), '299998\n299999\n300000\n');
    const files = readdirSync(driver === 'local' ? dirname(monitorLog.path) : dirname(log.path));
    assert.ok(files.length > 1, files.join(' '));
  });
}
