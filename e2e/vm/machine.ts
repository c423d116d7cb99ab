import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay, until } from '../../scripts/lib/delay.ts';
import { findCommand } from '../../scripts/lib/requirements.ts';
import type { RunOptions, RunResult } from '../../scripts/lib/run.ts';
import { docker } from '../lib/docker.ts';
import { freePort } from '../lib/free-port.ts';
import { type Accelerator, chooseAccelerator } from './accelerator.ts';
import { GUEST_API_PORT, GUEST_PUBLISHED_PORT } from './guest-files.ts';
import { guestImage, repositoryDisk } from './image.ts';

const BOOT_DEADLINE_MS = 300_000;
const COMMAND_DEADLINE_MS = 60_000;
/** In which the service comes up after a restart. */
export const READY_DEADLINE_MS = 180_000;
const MEMORY_MB = 1536;
/** Without KVM every instruction counts: no mitigations, no address randomization, nothing on a screen. */
const KERNEL_ARGUMENTS =
  'console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr random.trust_cpu=on net.ifnames=0 systemd.show_status=0 systemd.gpt_auto=0';

/**
 * A machine of its own kernel, pure cgroup v2 and systemd as init, on which wharf runs as a system service from boot.
 *
 * Commands go over a serial port, the docker CLI of the host speaks to the guest's daemon through qemu. Disks are written to a copy that
 * is thrown away, yet survive a reboot of the guest.
 */
export class VirtualMachine implements AsyncDisposable {
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #apiPort: number;
  /** The host's port behind which the guest's published port is. */
  readonly publishedPort: number;
  #agent: Socket | undefined;
  #received = '';
  #lastCommand: Promise<unknown> = Promise.resolve();

  private constructor(
    directory: string,
    child: ChildProcess,
    ports: { readonly api: number; readonly published: number },
  ) {
    this.#directory = directory;
    this.#process = child;
    this.#apiPort = ports.api;
    this.publishedPort = ports.published;
  }

  /** Boots one; resolves when commands can be run. Throws with the end of the console's output. */
  static async boot(): Promise<VirtualMachine> {
    const directory = mkdtempSync(join(tmpdir(), 'wharf-vm-'));
    try {
      const image = await guestImage();
      const [accelerator, repository] = await Promise.all([
        chooseAccelerator(qemu(), image.kernel),
        repositoryDisk(directory),
      ]);
      const ports = { api: await freePort(), published: await freePort() };
      const log = openSync(join(directory, 'qemu.log'), 'a');
      const child = spawn(qemu(), argumentsOf({ ...image, accelerator, repository, directory, ports }), {
        stdio: ['ignore', log, log],
        env: { ...process.env, TMPDIR: directory },
      });
      closeSync(log);
      const machine = new VirtualMachine(directory, child, ports);
      try {
        await machine.#connect();
        await machine.#greeting();
      } catch (error) {
        const words = `${String(error)}\n${machine.console.slice(-3000)}`;
        await machine.#end();
        throw new Error(words);
      }
      return machine;
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  get console(): string {
    return ['qemu.log', 'console']
      .map((name) => join(this.#directory, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('');
  }

  get host(): string {
    return `tcp://127.0.0.1:${this.#apiPort}`;
  }

  /** Runs a shell command in the guest; one at a time. */
  async run(
    command: string,
    deadlineMs = COMMAND_DEADLINE_MS,
  ): Promise<{ readonly code: number; readonly output: string }> {
    const mine = this.#lastCommand.then(async () => {
      this.#agent?.write(`${Buffer.from(command).toString('base64')}\n`);
      const line = await this.#line(`the guest answers to "${command}"`, deadlineMs);
      const [code = '', text = ''] = line.split(' ');
      return { code: Number(code), output: Buffer.from(text, 'base64').toString() };
    });
    this.#lastCommand = mine.catch(() => {});
    return mine;
  }

  /** The same for one that must succeed; returns its output without blanks around it. */
  async ok(command: string): Promise<string> {
    const { code, output } = await this.run(command);
    if (code !== 0) throw new Error(`"${command}" ended with status ${code} in the guest:\n${output}`);
    return output.trim();
  }

  /** Runs the docker CLI against the guest's daemon. */
  docker(args: readonly string[], options?: RunOptions): Promise<RunResult> {
    return docker(this.host, args, options);
  }

  /** The same for a command that must succeed; returns stdout without blanks around it. */
  async dockerOk(...args: readonly string[]): Promise<string> {
    const result = await this.docker(args);
    if (result.code !== 0) {
      const { output } = await this.run('journalctl -u wharf -n 30 --no-pager -o cat');
      throw new Error(
        `docker ${args.join(' ')} ended with status ${result.code}:\n${result.output}\n── wharfd ──\n${output}`,
      );
    }
    return result.stdout.trim();
  }

  /** Reboots the guest as an administrator does and waits until commands can be run again. */
  async reboot(): Promise<void> {
    this.#agent?.write(`${Buffer.from('systemctl reboot').toString('base64')}\n`);
    await this.#greeting();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#agent?.destroy();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #connect(): Promise<void> {
    const path = join(this.#directory, 'agent');
    await until('qemu has started', async () => (this.#alive() && existsSync(path)) || undefined, {
      timeoutMs: 20_000,
    });
    const socket = connect(path);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#received += text;
    });
    socket.on('error', () => {});
    this.#agent = socket;
  }

  async #greeting(): Promise<void> {
    for (;;) {
      if ((await this.#line('the guest has booted', BOOT_DEADLINE_MS)).includes('READY')) return;
    }
  }

  async #line(what: string, timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const end = this.#received.indexOf('\n');
      if (end >= 0) {
        const line = this.#received.slice(0, end).trim();
        this.#received = this.#received.slice(end + 1);
        return line;
      }
      this.#alive();
      if (performance.now() > deadline)
        throw new Error(`${what}: not within ${timeoutMs} ms\n${this.console.slice(-2000)}`);
      await delay(10);
    }
  }

  #alive(): true {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) return true;
    throw new Error(`qemu ended (${exitCode ?? signalCode}):\n${this.console.slice(-2000)}`);
  }
}

/** Waits until systemd says so, which it does once the daemon has said that it is ready. */
export async function serviceIsUp(vm: VirtualMachine): Promise<void> {
  const active = async () =>
    (await vm.run('systemctl is-active wharf')).output.trim() === 'active' ? true : undefined;
  await until('the service is active', active, { timeoutMs: READY_DEADLINE_MS, everyMs: 200 }).catch(async (error) => {
    throw new Error(`${String(error)}\n${(await vm.run('journalctl -u wharf -n 30 --no-pager')).output}`);
  });
}

function qemu(): string {
  const path = findCommand('qemu-system-x86_64');
  if (path === undefined)
    throw new Error('qemu-system-x86_64 is missing: install qemu-system-x86 (npm run setup does)');
  return path;
}

function argumentsOf(parts: {
  readonly kernel: string;
  readonly initramfs: string;
  readonly rootDisk: string;
  readonly repository: string;
  readonly accelerator: Accelerator;
  readonly directory: string;
  readonly ports: { readonly api: number; readonly published: number };
}): string[] {
  const disk = (file: string) => ['-drive', `file=${file},if=virtio,format=raw,snapshot=on,cache=unsafe`];
  const forward = (from: number, to: number) => `hostfwd=tcp:127.0.0.1:${from}-:${to}`;
  return [
    ...['-M', 'pc', '-nodefaults', '-no-user-config', '-display', 'none'],
    ...[...parts.accelerator, '-smp', '2', '-m', String(MEMORY_MB)],
    ...['-kernel', parts.kernel, '-initrd', parts.initramfs, '-append', KERNEL_ARGUMENTS],
    ...disk(parts.rootDisk),
    ...disk(parts.repository),
    ...[
      '-netdev',
      `user,id=net,${forward(parts.ports.api, GUEST_API_PORT)},${forward(parts.ports.published, GUEST_PUBLISHED_PORT)}`,
    ],
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-serial', `file:${join(parts.directory, 'console')}`],
    ...['-serial', `unix:${join(parts.directory, 'agent')},server=on,wait=off`],
  ];
}
