import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '../../scripts/lib/delay.ts';
import { must } from '../../scripts/lib/run.ts';
import { freePort } from './free-port.ts';
import { fetchFromDebian } from './sid.ts';

/** Debian's dropbear with its own libraries, unpacked under .cache. */
async function dropbear(): Promise<string> {
  const listed = await must(['apt-cache', 'depends', 'dropbear-bin']);
  const libraries = [...listed.matchAll(/Depends: (libtom\S+)/g)].map(([, name = '']) => name);
  return fetchFromDebian('dropbear', ['dropbear-bin', ...libraries]);
}

/** An ssh server on loopback that lets root in with one key, and an agent that has it. Nothing of the machine's own is touched. */
export class SshServer implements AsyncDisposable {
  readonly port: number;
  /** The agent's socket. */
  readonly agent: string;
  readonly #processes: readonly ChildProcess[];

  private constructor(port: number, agent: string, processes: readonly ChildProcess[]) {
    this.port = port;
    this.agent = agent;
    this.#processes = processes;
  }

  /** @param directory of its own */
  static async start(directory: string): Promise<SshServer> {
    const root = await dropbear();
    const [port, key, hostKey, agent] = [
      await freePort(),
      join(directory, 'key'),
      join(directory, 'host-key'),
      join(directory, 'agent'),
    ];
    mkdirSync(directory, { recursive: true });
    await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const { arch } = process;
    const library = join(root, 'usr/lib', arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu');
    const env = { ...process.env, LD_LIBRARY_PATH: library };
    await must([join(root, 'usr/bin/dropbearkey'), '-t', 'ed25519', '-f', hostKey], { env });
    // Its users are the machine's; root's home is another one for it.
    const script = `mount -t tmpfs -o mode=700 none /root && mkdir -m 700 /root/.ssh && cat >/root/.ssh/authorized_keys && exec "$@"`;
    const words = [join(root, 'usr/sbin/dropbear'), '-F', '-E', '-s', '-r', hostKey, '-p', `127.0.0.1:${port}`];
    const server = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', ...words], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    server.stdin?.end(readFileSync(`${key}.pub`));
    const agents = spawn('ssh-agent', ['-D', '-a', agent], { stdio: 'ignore' });
    const started = new SshServer(port, agent, [server, agents]);
    await until('the ssh server answers', () => answers(port));
    await until('the agent has the key', async () => {
      try {
        await must(['ssh-add', '-q', key], { env: { ...process.env, SSH_AUTH_SOCK: agent } });
        return true;
      } catch {
        return undefined;
      }
    });
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#processes.map(
        (each) =>
          new Promise<void>((resolve) => {
            if (each.exitCode !== null) return resolve();
            each.once('exit', () => resolve());
            each.kill('SIGKILL');
          }),
      ),
    );
  }
}

function answers(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
