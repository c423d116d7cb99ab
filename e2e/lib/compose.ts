import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after } from 'node:test';
import { ROOT } from '../../scripts/lib/root.ts';
import { type RunOptions, type RunResult, run } from '../../scripts/lib/run.ts';
import { clientEnvironment } from './docker.ts';
import { uniqueName } from './suite.ts';

const WHARF = join(ROOT, 'bin/wharf');

/** How a Compose command is begun: which program, where, with which environment. */
interface Setting {
  readonly host: string;
  readonly folder: string;
  /** The project's, where it is not the folder's. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The program and what stands before the command's name; `wharf compose` when absent. */
  readonly client?: readonly [string, ...string[]];
}

/** `wharf compose`, or another client of the kind, and the project in a folder that it drives. */
export class ComposeClient {
  readonly folder: string;
  readonly name: string;
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.folder = setting.folder;
    this.name = setting.name ?? basename(setting.folder);
  }

  /** A project in a new folder with these files, under a name of its own; the folder is gone after the last test. */
  static of(host: string, files: Readonly<Record<string, string>>): ComposeClient {
    const folder = mkdtempSync(join(tmpdir(), 'wharf-compose-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const project = new ComposeClient({ host, folder, name: uniqueName('project') });
    for (const [name, text] of Object.entries(files)) project.write(name, text);
    return project;
  }

  /** The same project with further variables of the environment. */
  with(env: Readonly<Record<string, string | undefined>>): ComposeClient {
    return new ComposeClient({ ...this.#setting, env: { ...this.#setting.env, ...env } });
  }

  /** The same project, driven by another client. */
  by(...client: readonly [string, ...string[]]): ComposeClient {
    return new ComposeClient({ ...this.#setting, client });
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  get #command(): readonly [string, ...string[]] {
    const named = this.#setting.name === undefined ? [] : ['-p', this.#setting.name];
    return [...(this.#setting.client ?? ([WHARF, 'compose'] as const)), ...named];
  }

  get #env(): Readonly<Record<string, string | undefined>> {
    const { host, env } = this.#setting;
    return { ...clientEnvironment(host), WHARF_HOST: undefined, COMPOSE_PROJECT_NAME: undefined, ...env };
  }

  /** Runs a command that may fail. */
  try(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run([...this.#command, ...args], { cwd: this.folder, env: this.#env, timeoutMs: 120_000, ...options });
  }

  /** Runs a command that must not; returns its stdout without the last line end. */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.try(args);
    assert.equal(result.code, 0, `compose ${args.join(' ')}: ${result.output}`);
    return result.stdout.replace(/\n$/, '');
  }

  /** Begins a command, whose end is the caller's to see to; all that it writes is read from `stdout` and `stderr`. */
  start(...args: readonly string[]): ChildProcess {
    const [program, ...before] = this.#command;
    return spawn(program, [...before, ...args], {
      cwd: this.folder,
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** What `ps` says of each container, by its name. */
  async states(): Promise<Readonly<Record<string, string>>> {
    const text = await this.ok('ps', '--all', '--format', 'json');
    const rows = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { readonly Name: string; readonly State: string });
    return Object.fromEntries(rows.map(({ Name, State }) => [Name.slice(this.name.length + 1), State]));
  }
}
