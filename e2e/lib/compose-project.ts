import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunResult } from '../../scripts/lib/run.ts';
import { ComposeClient } from './compose.ts';
import { composePlugin } from './plugins.ts';
import { uniqueName } from './suite.ts';

/** A folder with a Compose file, and the two clients that bring it up. Gone with its containers when disposed of. */
export class ComposeProject implements AsyncDisposable {
  readonly folder: string;
  readonly host: string;
  readonly #client: ComposeClient;

  constructor(host: string) {
    this.host = host;
    // The folder's name becomes the project's, which has no capitals.
    this.folder = join(mkdtempSync(join(tmpdir(), 'wharf-compose-')), uniqueName('app'));
    mkdirSync(this.folder);
    this.#client = new ComposeClient({ host, folder: this.folder });
  }

  /** The project's name: the folder's. */
  get name(): string {
    return this.#client.name;
  }

  write(path: string, text: string): void {
    this.#client.write(path, text);
  }

  /** `wharf compose …`, however it ends. */
  wharf(...args: readonly string[]): Promise<RunResult> {
    return this.#client.try(args, { timeoutMs: 60_000 });
  }

  /** `wharf compose …`, which has to go well. Its output. */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.wharf(...args);
    assert.equal(result.code, 0, `wharf compose ${args.join(' ')}: ${result.output}`);
    return result.output;
  }

  /** `docker compose …` 2.40, which has to go well. Its output. */
  async peer(...args: readonly string[]): Promise<string> {
    const client = this.#client.by(await composePlugin(), '--progress', 'plain');
    const result = await client.try(args, { timeoutMs: 60_000 });
    assert.equal(result.code, 0, `docker compose ${args.join(' ')}: ${result.output}`);
    return result.output;
  }

  /** `wharf compose …` as a process of its own, to be interrupted. */
  begin(...args: readonly string[]): ChildProcess {
    const client = this.#client.start(...args);
    client.stdout?.resume();
    client.stderr?.resume();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.ok('down', '-v', '-t', '0', '--remove-orphans');
    } finally {
      rmSync(dirname(this.folder), { recursive: true, force: true });
    }
  }
}
