import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BUSYBOX } from '../lib/images.ts';
import type { VirtualMachine } from './machine.ts';

let machine: VirtualMachine;
const CURRENT = '/proc/self/attr/apparmor/current';
/** What a program tries that the other walls would let it. */
const ADMIN = [
  '--cap-add',
  'SYS_ADMIN',
  '--security-opt',
  'seccomp=unconfined',
  '--security-opt',
  'systempaths=unconfined',
];

const run = (options: readonly string[], script: string) =>
  machine.docker(['run', '--rm', '--network', 'none', ...options, BUSYBOX, 'sh', '-c', script]);

/** The default profile, and those that are asked for, on a kernel with AppArmor. */
export function appArmorTests(booted: () => VirtualMachine): void {
  before(async () => {
    machine = booted();
    await machine.dockerOk('rm', '-f', 'confined');
  });

  test('a container has the default profile, exec and health checks included, and inspect says so', async () => {
    assert.match(await machine.dockerOk('info', '-f', '{{.SecurityOptions}}'), /name=apparmor/);
    await machine.dockerOk('run', '-d', '--init', '--name', 'confined', BUSYBOX, 'sleep', '1000');
    const format = '{{.AppArmorProfile}}';
    assert.equal(await machine.dockerOk('inspect', '-f', format, 'confined'), 'wharf-default');
    assert.equal(await machine.dockerOk('exec', 'confined', 'cat', CURRENT), 'wharf-default (enforce)');
    // Signals of the host, and within the container, arrive.
    await machine.dockerOk('exec', 'confined', 'sh', '-c', 'sleep 100 & kill $! && wait $! || true');
    await machine.dockerOk('stop', '-t', '20', 'confined');
    assert.equal(await machine.dockerOk('inspect', '-f', '{{.State.ExitCode}}', 'confined'), '143');
    await machine.dockerOk('rm', 'confined');
  });

  test("mounts and knobs of the kernel are refused even where capabilities allow them; namespaces' own are not", async () => {
    const mounted = await run(ADMIN, 'mkdir -p /m && mount -t tmpfs none /m');
    assert.match(mounted.output, /denied/i);
    for (const knob of [
      'sys/vm/swappiness',
      'sys/kernel/core_pattern',
      'sys/kernel/sysrq',
      'sys/fs/file-max',
      'sysrq-trigger',
    ]) {
      const written = await run(ADMIN, `: > /proc/${knob}`);
      assert.match(written.output, /denied/i, knob);
    }
    const own =
      'echo 100 > /proc/sys/net/core/somaxconn && echo 1000 > /proc/sys/kernel/shmmni && cat /proc/sys/vm/swappiness';
    const allowed = await run(ADMIN, own);
    assert.equal(allowed.code, 0, allowed.output);
  });

  test('what runs every day runs: files, users, sockets, volumes', async () => {
    const work = [
      'touch /x && chown 1000:1000 /x && chmod 600 /x && ln /x /y && mv /y /z2',
      'mkfifo /f && mknod /z c 1 5',
    ];
    const more = [
      '(nc -l -p 99 -e true & until nc 127.0.0.1 99 < /dev/null; do :; done)',
      'ls /sys /proc/1 && echo x > /v/y',
    ];
    const done = await run(['-v', '/v'], [...work, ...more].join(' && '));
    assert.equal(done.code, 0, done.output);
  });

  test('unconfined, privileged and profiles of others are honoured; one that is not there is told', async () => {
    assert.equal((await run(['--security-opt', 'apparmor=unconfined'], `cat ${CURRENT}`)).stdout.trim(), 'unconfined');
    assert.equal((await run(['--privileged'], `cat ${CURRENT}`)).stdout.trim(), 'unconfined');
    assert.equal(
      (await run([...ADMIN, '--security-opt', 'apparmor=unconfined'], 'mkdir -p /m && mount -t tmpfs none /m')).code,
      0,
    );
    await machine.ok(
      "echo 'profile mine flags=(attach_disconnected) { file, network, capability, signal, deny /etc/passwd r, }' | apparmor_parser -Kr",
    );
    const mine = await run(['--security-opt', 'apparmor=mine'], `cat ${CURRENT}; cat /etc/passwd`);
    assert.match(mine.output, /^mine \(enforce\)[\s\S]*Permission denied/);
    assert.match((await run(['--security-opt', 'apparmor=nowhere'], 'true')).output, /apparmor|No such file/i);
  });
}
