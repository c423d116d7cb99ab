import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { type RunResult, run } from '../../scripts/lib/run.ts';
import { clientEnvironment } from './docker.ts';
import { buildxPlugin } from './plugins.ts';

/** Files of a build context, by their names; the Dockerfile among them. */
export type ContextFiles = Readonly<Record<string, string>>;

/** Builds by buildx, against the daemon of a test file. Make one at the top of a file, and `prepare()` it before the tests. */
export class Buildx {
  /** For what builds write; gone after the last test. */
  readonly folder = mkdtempSync(join(tmpdir(), 'wharf-buildx-'));
  readonly #daemon: () => { readonly host: string };
  #plugin = '';
  #places = 0;

  constructor(daemon: () => { readonly host: string }) {
    this.#daemon = daemon;
    after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Finds the plugin, and makes a client's configuration in which it is. */
  async prepare(): Promise<void> {
    this.#plugin = await buildxPlugin();
    mkdirSync(join(this.folder, 'config', 'cli-plugins'), { recursive: true });
    symlinkSync(this.#plugin, join(this.folder, 'config', 'cli-plugins', 'docker-buildx'));
    writeFileSync(join(this.folder, 'config', 'config.json'), '{}');
  }

  /** Gives the client credentials for a registry. */
  logIn(address: string, name: string, password: string): void {
    const auth = Buffer.from(`${name}:${password}`).toString('base64');
    writeFileSync(join(this.folder, 'config', 'config.json'), JSON.stringify({ auths: { [address]: { auth } } }));
  }

  /** The plugin, as a program of its own. */
  get path(): string {
    return this.#plugin;
  }

  /** What commands are run with. */
  get environment(): Readonly<Record<string, string | undefined>> {
    return this.#environment(this.#daemon().host);
  }

  #environment(host: string): Readonly<Record<string, string | undefined>> {
    return { ...clientEnvironment(host), DOCKER_CONFIG: join(this.folder, 'config') };
  }

  /** A path that nothing is at yet. */
  place(): string {
    this.#places += 1;
    return join(this.folder, `place-${this.#places}`);
  }

  /** A build context of its own. */
  context(files: ContextFiles): string {
    const folder = mkdtempSync(join(this.folder, 'context-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  /** Any command of buildx. */
  run(...args: readonly string[]): Promise<RunResult> {
    return this.runAgainst(this.#daemon().host, ...args);
  }

  /** The same against another daemon. */
  runAgainst(host: string, ...args: readonly string[]): Promise<RunResult> {
    return run([this.#plugin, ...args], { env: this.#environment(host), timeoutMs: 120_000 });
  }

  /** Begins a command, whose end is the caller's to see to. */
  start(host: string, ...args: readonly string[]): ChildProcess {
    return spawn(this.#plugin, args, { env: { ...process.env, ...this.#environment(host) }, stdio: 'ignore' });
  }

  /** A build that may fail. */
  try(files: ContextFiles, ...options: readonly string[]): Promise<RunResult> {
    return this.run('build', '--progress', 'plain', ...options, this.context(files));
  }

  /** A build that must not; returns what it wrote. */
  async build(files: ContextFiles, ...options: readonly string[]): Promise<string> {
    const result = await this.try(files, ...options);
    assert.equal(result.code, 0, result.output);
    return result.output;
  }
}
