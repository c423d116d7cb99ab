import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, WharfError } from '@wharf/kit';
import type { AgentSource } from '../loans.ts';

/** The sockets of all agents; those for keys are started here and end with the disposal. */
export async function startAgents(
  sources: ReadonlyMap<string, AgentSource>,
): Promise<{ readonly sockets: ReadonlyMap<string, string> } & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const sockets = new Map<string, string>();
  for (const [id, source] of sources) {
    sockets.set(id, 'socket' in source ? source.socket : await agentFor(source.keys, undo));
  }
  const kept = undo.move();
  return { sockets, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** An agent of OpenSSH that holds nothing but these keys. */
async function agentFor(keys: readonly string[], undo: AsyncDisposableStack): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-agent-'));
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, 'agent.sock');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  undo.defer(async () => {
    if (agent.exitCode !== null || agent.pid === undefined) return;
    const ended = once(agent, 'exit');
    agent.kill();
    await ended;
  });
  await ready(agent);
  const adding = spawn('ssh-add', ['-q', ...keys], {
    env: { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  adding.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')));
  const [code] = (await once(adding, 'close')) as [number | null];
  if (code !== 0) {
    throw new WharfError('invalid-argument', `Cannot lend ssh key "${keys.join('", "')}": ${complaint.trim()}`, {
      hint: 'A key with a passphrase is lent by an agent: ssh-add KEY, then --ssh default',
    });
  }
  return socket;
}

/** The agent prints where it listens once it does. */
async function ready(agent: ChildProcess): Promise<void> {
  const failed = new Promise<never>((_, reject) => {
    agent.once('error', (error) => {
      reject(
        new WharfError('unavailable', `Cannot start an ssh agent: ${messageOf(error)}`, {
          cause: error,
          hint: 'Install openssh-client, or lend an agent that runs.',
        }),
      );
    });
    agent.once('exit', (code) =>
      reject(new WharfError('unavailable', `Cannot start an ssh agent: it ended with ${code}`)),
    );
  });
  failed.catch(() => undefined);
  if (agent.stdout !== null) await Promise.race([once(agent.stdout, 'data'), failed]);
}
