import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { until } from './delay.ts';
import { QUICKSTART } from './quickstart-settings.ts';
import { ROOT } from './root.ts';

const REQUEST_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 20_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One request to the daemon of `npm start`, over its socket. */
export function request(
  method: string,
  path: string,
  body?: { readonly type: string; readonly content: string | Uint8Array },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { 'content-type': body.type, 'content-length': Buffer.byteLength(body.content) };
    const asked = httpRequest(
      { socketPath: QUICKSTART.socketPath, method, path, headers, timeout: REQUEST_TIMEOUT_MS },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    asked.once('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer`)));
    asked.once('error', reject);
    asked.end(body?.content);
  });
}

/** The same, for a JSON document that must be accepted; returns the parsed answer. */
export async function requestJson<T>(method: string, path: string, document?: unknown): Promise<T> {
  const body = document === undefined ? undefined : { type: 'application/json', content: JSON.stringify(document) };
  const { status, text } = await request(method, path, body);
  if (status >= 400) throw new Error(`${method} ${path} was answered ${status}: ${text.trim()}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** True when a daemon answers on the socket. */
async function answers(): Promise<boolean> {
  try {
    return (await request('GET', '/_ping')).status === 200;
  } catch {
    return false;
  }
}

/** The running daemon's pid by its pid file; `undefined` when there is none or the pid is another program's by now. */
export function daemonPid(): number | undefined {
  try {
    const pid = Number(readFileSync(QUICKSTART.pidfile, 'utf8').trim());
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.some((word) => word.endsWith('/wharfd.ts')) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Starts the daemon in the background unless one answers already; true when it did. Throws with the end of its log. */
export async function startDaemon(): Promise<boolean> {
  if (await answers()) return false;
  const logFd = openSync(QUICKSTART.logPath, 'a');
  const child = spawn(join(ROOT, 'bin/wharfd'), [], { detached: true, stdio: ['ignore', logFd, logFd], cwd: '/' });
  closeSync(logFd);
  child.unref();
  await until(
    'the daemon answers',
    async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`the daemon ended at once; its log says:\n${logTail()}`);
      }
      return (await answers()) ? true : undefined;
    },
    { timeoutMs: START_TIMEOUT_MS },
  );
  return true;
}

function logTail(): string {
  return readFileSync(QUICKSTART.logPath, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}
