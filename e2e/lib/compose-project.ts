import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ROOT } from '../../scripts/lib/root.ts';
import { type RunResult, run } from '../../scripts/lib/run.ts';
import { clientEnvironment } from './docker.ts';
import { composePlugin } from './plugins.ts';
import { uniqueName } from './suite.ts';

const WHARF = join(ROOT, 'bin/wharf');

/** A folder with a Compose file, and the two clients that bring it up. Gone with its containers when disposed of. */
export class ComposeProject implements AsyncDisposable {
  readonly folder: string;
  readonly host: string;

  constructor(host: string) {
    this.host = host;
    // The folder's name becomes the project's, which has no capitals.
    this.folder = join(mkdtempSync(join(tmpdir(), 'wharf-compose-')), uniqueName('app'));
    mkdirSync(this.folder);
  }

  /** The project's name: the folder's. */
  get name(): string {
    return basename(this.folder);
  }

  write(path: string, text: string): void {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  get #environment(): Readonly<Record<string, string | undefined>> {
    return { ...clientEnvironment(this.host), WHARF_HOST: undefined, COMPOSE_PROJECT_NAME: undefined };
  }

  /** `wharf compose …`, however it ends. */
  wharf(...args: readonly string[]): Promise<RunResult> {
    return run([WHARF, 'compose', ...args], { cwd: this.folder, env: this.#environment, timeoutMs: 60_000 });
  }

  /** `wharf compose …`, which has to go well. Its output. */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.wharf(...args);
    assert.equal(result.code, 0, `wharf compose ${args.join(' ')}: ${result.output}`);
    return result.output;
  }

  /** `docker compose …` 2.40, which has to go well. Its output. */
  async peer(...args: readonly string[]): Promise<string> {
    const command: readonly [string, ...string[]] = [await composePlugin(), '--progress', 'plain', ...args];
    const result = await run(command, { cwd: this.folder, env: this.#environment, timeoutMs: 60_000 });
    assert.equal(result.code, 0, `docker compose ${args.join(' ')}: ${result.output}`);
    return result.output;
  }

  /** `wharf compose …` as a process of its own, to be interrupted. */
  begin(...args: readonly string[]): ChildProcess {
    return spawn(WHARF, ['compose', ...args], {
      cwd: this.folder,
      env: { ...process.env, ...this.#environment },
      stdio: 'ignore',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.ok('down', '-v', '-t', '0', '--remove-orphans');
    } finally {
      rmSync(dirname(this.folder), { recursive: true, force: true });
    }
  }
}
