import type { Logger } from '@wharf/kit';
import type { Call } from '../http/call.ts';
import { RotatedFile } from './rotated-file.ts';

/** What an answered request was, in words of the audit log; `undefined` for what is not worth a line. */
function deedOf(call: Call, route: string): string | undefined {
  const { status, method } = call;
  if (status === 401 || status === 403 || status === 429) return 'refused';
  if (status < 200 || status >= 300) return undefined;
  if (route === 'manifest' && method === 'GET') return 'pull';
  if (route === 'manifest' && method === 'PUT') return 'push';
  if (route === 'manifest' && method === 'DELETE') return 'delete';
  if (route === 'blob' && method === 'DELETE') return 'delete-blob';
  if (route === 'blob' && method === 'GET') return 'pull-blob';
  if ((route === 'upload' && method === 'PUT') || (route === 'uploads' && status === 201)) return 'push-blob';
  if (call.path === '/token') return 'token';
  return undefined;
}

/**
 * Who pulled, pushed, deleted, was given a token or was refused, one JSON line each: `time`, `deed`, `user`, `remote`, `method`, `path`,
 * `status`. Changes by the administrator's commands are there as `admin`. A refusal without credentials is how every client begins, so
 * that one is left out.
 */
export class AuditLog {
  readonly #file: RotatedFile;

  constructor(path: string, log: Logger) {
    this.#file = new RotatedFile(path, log);
  }

  observe(call: Call, route: string): void {
    const deed = deedOf(call, route);
    if (deed === undefined || (deed === 'refused' && call.headers.authorization === undefined)) return;
    this.#write({
      ...{ deed, user: call.identity.name, remote: call.remoteAddress, method: call.method },
      ...{ path: call.path.slice(0, 1024), status: call.status },
    });
  }

  /** A change by the administrator. */
  administered(operation: string, input: Readonly<Record<string, unknown>>): void {
    this.#write({ deed: 'admin', user: 'system:admin', operation, input });
  }

  reopen(): void {
    this.#file.reopen();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #write(entry: object): void {
    this.#file.write(JSON.stringify({ time: new Date().toISOString(), ...entry }));
  }
}
