import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { newId } from '@wharf/kit';
import type { MonitorIo } from './process-streams.ts';

export interface TestContainer {
  readonly io: MonitorIo;
  readonly directory: string;
  readonly logPath: string;
  readonly exited: Promise<void>;
  start(): void;
}

export interface TestContainerOptions {
  readonly args: readonly string[];
  readonly terminal?: boolean;
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
  /** conmon's `--log-path`; a file in the test's folder when absent. */
  readonly logPath?: string;
}

function writeBundle(directory: string, { args, terminal = false }: TestContainerOptions): void {
  mkdirSync(join(directory, 'rootfs', 'bin'), { recursive: true });
  for (const name of ['proc', 'dev', 'sys', 'tmp']) mkdirSync(join(directory, 'rootfs', name));
  copyFileSync('/bin/busybox', join(directory, 'rootfs', 'bin', 'busybox'));
  const config = {
    ociVersion: '1.0.2',
    process: { terminal, user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin', 'TERM=xterm'], cwd: '/' },
    root: { path: 'rootfs' },
    hostname: 'test',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
    ],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })) },
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
}

/** Waits for conmon to say that the container is created. */
async function created(pipe: Readable): Promise<void> {
  let text = '';
  for await (const piece of pipe) {
    text += String(piece);
    if (text.includes('\n')) break;
  }
  const { data, message } = JSON.parse(text) as { data: number; message?: string };
  assert.ok(data > 0, message ?? text);
}

/** A container under a real conmon and crun, created and not yet started. It is gone after the test. */
export async function createContainer(t: TestContext, options: TestContainerOptions): Promise<TestContainer> {
  const directory = await mkdtemp(join(tmpdir(), 'wharf-streams-'));
  const id = newId();
  const state = join(directory, 'state');
  const crun = (...args: string[]): void => {
    spawnSync('crun', ['--root', state, ...args], { stdio: 'ignore' });
  };
  writeBundle(directory, options);
  const { terminal = false, stdin = true, stdinOnce = true } = options;
  const logPath = options.logPath ?? join(directory, 'container.log');
  const args = ['--sync', '--api-version', '--full-attach', '--no-sync-log', '--cid', id, '--cuuid', id];
  args.push('--runtime', '/usr/bin/crun', '--bundle', directory, '--container-pidfile', join(directory, 'pid'));
  args.push('--log-path', `k8s-file:${logPath}`, '--runtime-arg=--root', `--runtime-arg=${state}`);
  args.push('--runtime-arg=--cgroup-manager=disabled');
  if (terminal) args.push('--terminal');
  if (stdin) args.push('--stdin');
  if (stdin && !(stdinOnce && !terminal)) args.push('--leave-stdin-open');
  const conmon = spawn('conmon', args, {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TZ: 'UTC', _OCI_SYNCPIPE: '3' },
  });
  const exited = new Promise<void>((resolve) => {
    conmon.once('exit', () => resolve());
  });
  t.after(async () => {
    crun('delete', '--force', id);
    conmon.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  await created(conmon.stdio[3] as Readable);
  const io: MonitorIo = {
    attachSocketPath: join(directory, 'attach'),
    controlFifoPath: join(directory, 'ctl'),
    terminal,
    stdin,
    stdinOnce,
  };
  return { io, directory, logPath, exited, start: () => crun('start', id) };
}
