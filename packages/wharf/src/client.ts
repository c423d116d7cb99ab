import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:http';
import { join } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { CLIENT_ANSWER_LIMIT_BYTES, CLIENT_TIMEOUT_MS } from './limits.ts';

const DEFAULT_HOST = 'unix:///run/wharf.sock';

/** The daemon's address: what was said, then WHARF_HOST, DOCKER_HOST, and the default socket. */
export function daemonHost(given: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  return given ?? nonEmpty(env['WHARF_HOST']) ?? nonEmpty(env['DOCKER_HOST']) ?? DEFAULT_HOST;
}

/**
 * Asks the daemon once and returns the JSON it answers with. Throws `unavailable` when nobody listens, and the daemon's own message
 * otherwise.
 */
export async function getJson(host: string, path: string): Promise<unknown> {
  const { status, text } = await request(host, path);
  if (status === 200) return JSON.parse(text);
  let message = text.trim();
  try {
    message = (JSON.parse(text) as { readonly message?: string }).message ?? message;
  } catch {
    // A proxy's page, say: shown as it came.
  }
  throw new WharfError('unavailable', `Error response from daemon: ${message}`);
}

function request(host: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const { secure, options } = connectOptions(host);
  // An ESM import of node:http loads fetch and WebSocket with it, which costs a short program 30 ms.
  const http = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(explain(host, error));
    const asked = http.request({ ...options, path, timeout: CLIENT_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > CLIENT_ANSWER_LIMIT_BYTES) asked.destroy(new Error('the answer is too large'));
        chunks.push(chunk);
      });
      response.once('error', fail);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${CLIENT_TIMEOUT_MS / 1000} s`)));
    asked.once('error', fail);
    asked.end();
  });
}

function connectOptions(host: string): { readonly secure: boolean; readonly options: RequestOptions } {
  if (host.startsWith('unix://')) return { secure: false, options: { socketPath: host.slice('unix://'.length) } };
  const url = URL.parse(host.replace(/^tcp:/, 'http:'));
  if (url === null || !/^(tcp|http|https):/.test(host)) {
    throw new WharfError(
      'invalid-argument',
      `Cannot use "${host}" as the daemon's address: it must start with unix:// or tcp://`,
    );
  }
  const secure = url.protocol === 'https:' || nonEmpty(process.env['DOCKER_TLS_VERIFY']) !== undefined;
  const port = url.port === '' ? (secure ? 2376 : 2375) : Number(url.port);
  return { secure, options: { host: url.hostname, port, ...(secure ? certificates() : {}) } };
}

function certificates(): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } {
  const dir = nonEmpty(process.env['DOCKER_CERT_PATH']) ?? join(process.env['HOME'] ?? '/root', '.docker');
  return {
    ca: readFileSync(join(dir, 'ca.pem')),
    cert: readFileSync(join(dir, 'cert.pem')),
    key: readFileSync(join(dir, 'key.pem')),
  };
}

function explain(host: string, error: unknown): WharfError {
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new WharfError('permission-denied', `Cannot connect to the daemon at ${host}: permission denied`, {
      cause: error,
      hint: 'Run as root.',
    });
  }
  if (hasErrno(error, 'ENOENT', 'ECONNREFUSED')) {
    const hint = 'Start it with bin/wharfd or npm start.';
    return new WharfError('unavailable', `Cannot connect to the daemon at ${host}: is it running?`, {
      cause: error,
      hint,
    });
  }
  return new WharfError('unavailable', `Cannot connect to the daemon at ${host}: ${messageOf(error)}`, {
    cause: error,
  });
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
