import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** Repositories below a directory, served over HTTP by git's own backend. For tests. */
export class GitTestServer {
  readonly #root: string;
  readonly #server = createServer((request, response) => this.#serve(request, response));
  /** Requests so far: method and path. */
  readonly requests: string[] = [];
  /** What the `Authorization` header must be; anything when undefined. */
  authorization: string | undefined;
  /** Serves files only, as any web server does, and knows nothing of git. */
  dumb = false;

  constructor(root: string) {
    this.#root = root;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Makes a repository, or adds a commit to it. Returns the commit. */
  commit(name: string, files: Readonly<Record<string, string>>, message = 'change'): string {
    const work = join(this.#root, `${name}.work`);
    const bare = join(this.#root, `${name}.git`);
    const run = (...args: readonly string[]): string => execGit(work, args);
    mkdirSync(work, { recursive: true });
    run('init', '--quiet', '-b', 'main');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), text, { mode: path.endsWith('.sh') ? 0o755 : 0o644 });
    }
    run('add', '--', '.');
    run('commit', '--quiet', '--allow-empty', '-m', message);
    execGit(this.#root, ['init', '--quiet', '--bare', '-b', 'main', bare]);
    this.push(name, 'HEAD:main');
    return run('rev-parse', 'HEAD').trim();
  }

  /** Runs git in the working copy of a repository. */
  git(name: string, ...args: readonly string[]): string {
    return execGit(join(this.#root, `${name}.work`), args);
  }

  push(name: string, ...refs: readonly string[]): void {
    this.git(name, 'push', '--quiet', '--force', join(this.#root, `${name}.git`), ...refs);
    execGit(join(this.#root, `${name}.git`), ['update-server-info']);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const url = new URL(request.url ?? '/', 'http://localhost');
    const env = {
      ...{
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: this.#root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
      },
      ...{
        PATH_INFO: url.pathname,
        QUERY_STRING: this.dumb ? '' : url.search.slice(1),
        REQUEST_METHOD: request.method,
      },
      ...{ CONTENT_TYPE: request.headers['content-type'], HTTP_CONTENT_ENCODING: request.headers['content-encoding'] },
      ...{ GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''), REMOTE_ADDR: '127.0.0.1' },
    };
    const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    backend.stdin.on('error', () => undefined);
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.on('close', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const headers = all.subarray(0, end).toString('latin1').split('\r\n');
      const fields = headers.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
      const at = fields.indexOf('Status');
      const status = at < 0 ? 200 : Number.parseInt(fields[at + 1] ?? '', 10);
      response.writeHead(status, fields).end(all.subarray(end + 4));
    });
  }
}

function execGit(cwd: string, args: readonly string[]): string {
  const env = {
    ...{ PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' },
    ...{ GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@h.example', GIT_AUTHOR_DATE: '2020-01-02T03:04:05Z' },
    ...{ GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@h.example', GIT_COMMITTER_DATE: '2020-01-02T03:04:05Z' },
  };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
