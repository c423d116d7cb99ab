import { messageOf, WharfError } from '@wharf/kit/errors';
import type { Wire } from './dial.ts';
import { DOCKER_CLIENT_LIMITS } from './limits.ts';

/**
 * The words of the ssh client for an address `ssh://USER@HOST:PORT/SOCKET` (each but HOST can be absent). On the other side `wharf`
 * is asked for its daemon, or `docker` where there is no `wharf`. Throws `invalid-argument` in docker's words.
 */
export function sshCommand(address: string): readonly string[] {
  const url = URL.parse(address);
  if (url === null) throw refuse(`invalid SSH URL: ${address}`);
  if (url.password !== '') throw refuse('invalid SSH URL: plain-text password is not supported');
  if (url.hostname === '') throw refuse('invalid SSH URL: hostname is empty');
  if (url.search !== '') throw refuse(`invalid SSH URL: query parameters are not allowed: "${url.search.slice(1)}"`);
  if (url.hash !== '') throw refuse(`invalid SSH URL: fragments are not allowed: "${url.hash.slice(1)}"`);
  const socket =
    url.pathname === '' || url.pathname === '/' ? '' : `--host ${quote(`unix://${decodeURI(url.pathname)}`)} `;
  const ask = (name: string) => `exec ${name} ${socket}system dial-stdio`;
  const script = `command -v wharf >/dev/null 2>&1 && ${ask('wharf')}; ${ask('docker')}`;
  return [
    ...['ssh', '-o', `ConnectTimeout=${DOCKER_CLIENT_LIMITS.connectMs / 1000}`, '-T'],
    ...(url.username === '' ? [] : ['-l', decodeURIComponent(url.username)]),
    ...(url.port === '' ? [] : ['-p', url.port]),
    ...['--', url.hostname.replace(/^\[|\]$/g, ''), 'sh', '-c', quote(script)],
  ];
}

/** Talks to the daemon of another machine through ssh. */
export function dialSsh(address: string): Wire {
  const [program = 'ssh', ...words] = sshCommand(address);
  const { spawn } = process.getBuiltinModule('node:child_process');
  const { Duplex } = process.getBuiltinModule('node:stream');
  // A session of its own: ctrl-C in our terminal is for us to answer.
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-DOCKER_CLIENT_LIMITS.helperTextBytes);
  });
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    // That ssh takes nothing more is no reason to give: how it ends is, and that is told below.
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.once('error', (error) =>
    stream.destroy(new WharfError('unavailable', `Cannot start ssh: ${messageOf(error)}`)),
  );
  child.once('close', (code, signal) => {
    if (code === 0 || stream.destroyed) stream.push(null);
    else stream.destroy(failure([program, ...words], signal ?? `exit status ${code}`, said));
  });
  const parts = [child, child.stdin, child.stdout, child.stderr] as unknown as readonly {
    ref(): void;
    unref(): void;
  }[];
  const hold = (held: boolean): void => {
    for (const part of parts) {
      if (held) part.ref();
      else part.unref();
    }
  };
  return { stream, hold };
}

function failure(words: readonly string[], how: string, said: string): WharfError {
  const command = `command [${words.join(' ')}] has exited with ${how}`;
  return new WharfError(
    'unavailable',
    `error during connect: ${command}, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=${said}`,
    { hint: 'The same ssh command must work in a shell, without a password or a question: keys, known_hosts, PATH.' },
  );
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function refuse(why: string): WharfError {
  return new WharfError('invalid-argument', `Failed to initialize: ssh host connection is not valid: ${why}`);
}
