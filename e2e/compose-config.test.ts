import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { configHashes, renderConfig } from '@wharf/compose/config/config';
import type { LoadOptions } from '@wharf/compose/load/load-project';
import { run } from '../scripts/lib/run.ts';
import { attributeCase } from './lib/config-attributes.ts';
import { CONFIG_CASES, CONFIG_REFUSALS, type ConfigCase } from './lib/config-cases.ts';
import { composePlugin } from './lib/plugins.ts';
import { WHARF } from './lib/wharf-user.ts';

const PATH = process.env['PATH'] ?? '';
let compose = '';

before(async () => {
  const plugin = await composePlugin().catch(() => '');
  const version =
    plugin === ''
      ? ''
      : await new Promise<string>((resolve) => {
          execFile(plugin, ['version', '--short'], (_error, stdout) => resolve(stdout.trim()));
        });
  // What another version prints is another contract.
  if (version.startsWith('2.40.')) compose = plugin;
});

interface Answer {
  readonly out: string;
  readonly failed: boolean;
}

/** A folder named `demo` with the files of a case. */
class CaseFolder implements Disposable {
  readonly path: string;
  readonly environment: Record<string, string>;
  readonly #case: ConfigCase;
  readonly #root: string;

  constructor(one: ConfigCase) {
    this.#case = one;
    this.#root = mkdtempSync(join(tmpdir(), 'wharf-config-'));
    this.path = join(this.#root, 'demo');
    this.environment = { PATH, HOME: '/root', PWD: this.path, DOCKER_HOST: 'unix:///nonexistent', ...one.environment };
    for (const [name, text] of Object.entries(one.files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      writeFileSync(join(this.path, name), text);
    }
  }

  load(): LoadOptions {
    const { read = [], profiles = [] } = this.#case;
    return { files: read, profiles, environment: this.environment, cwd: this.path };
  }

  /** What docker compose prints, or what it says is wrong. */
  peer(...args: readonly string[]): Promise<Answer> {
    const { read = [], profiles = [] } = this.#case;
    const flags = [...read.flatMap((file) => ['-f', file]), ...profiles.flatMap((profile) => ['--profile', profile])];
    return new Promise((resolve) => {
      const options = { cwd: this.path, env: this.environment, maxBuffer: 64 * 1024 * 1024 };
      execFile(compose, [...flags, 'config', ...args], options, (error, stdout, stderr) => {
        const said = stderr.split('\n').filter((line) => !line.startsWith('time='));
        resolve(error === null ? { out: stdout, failed: false } : { out: said.join('\n').trim(), failed: true });
      });
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

async function hashes(load: LoadOptions): Promise<string> {
  const all = await configHashes(load, []);
  return all.map(([name, hash]) => `${name} ${hash}\n`).join('');
}

async function answer(work: Promise<string>): Promise<Answer> {
  try {
    return { out: await work, failed: false };
  } catch (error) {
    return { out: error instanceof Error ? error.message : String(error), failed: true };
  }
}

const CASES = [...CONFIG_CASES, ...Array.from({ length: 8 }, (_, seed) => attributeCase(seed + 1))];

for (const one of CASES)
  test(`config prints docker compose's bytes: ${one.name}`, async (t) => {
    if (compose === '') return t.skip('docker compose 2.40 cannot be fetched');
    using folder = new CaseFolder(one);
    const load = folder.load();
    const [yaml, json, hash, plain] = await Promise.all([
      folder.peer(),
      folder.peer('--format', 'json'),
      folder.peer('--hash', '*'),
      folder.peer('--no-interpolate', '--no-normalize', '--no-path-resolution'),
    ]);
    assert.deepEqual(await answer(renderConfig(load, { format: 'yaml' })), yaml);
    if (yaml.failed) return undefined;
    assert.deepEqual(await answer(renderConfig(load, { format: 'json' })), json);
    assert.deepEqual(await answer(hashes(load)), hash);
    const untouched = { ...load, interpolate: false, normalize: false, resolvePaths: false };
    assert.deepEqual(await answer(renderConfig(untouched, { format: 'yaml' })), plain);
    return undefined;
  });

for (const [what, source] of CONFIG_REFUSALS)
  test(`config refuses in docker compose's words: ${what}`, async (t) => {
    if (compose === '') return t.skip('docker compose 2.40 cannot be fetched');
    using folder = new CaseFolder({ name: what, files: { 'compose.yaml': source } });
    const peer = await folder.peer();
    assert.equal(peer.failed, true);
    assert.deepEqual(await answer(renderConfig(folder.load(), { format: 'yaml' })), peer);
    return undefined;
  });

const LINES: readonly (readonly string[])[] = [
  ['config'],
  ['--profile', 'tools', 'config', '--format', 'json'],
  ['config', '--services'],
  ['config', '--profiles'],
  ['--profile', '*', 'config', '--hash', '*'],
  ['config', '--hash', 'nope'],
  ['config', '--variables', '--format', 'json'],
  ['config', '-q'],
  ['-p', 'Not Allowed', 'config'],
  ['-f', 'none.yaml', 'config'],
];

test('wharf compose config answers as docker compose does: output, warnings, exit code', async (t) => {
  if (compose === '') return t.skip('docker compose 2.40 cannot be fetched');
  using folder = new CaseFolder({
    name: 'lines',
    files: {
      'compose.yaml':
        'services:\n  web: {image: "a:${TAG}", depends_on: [db], command: "$UNSET ${D:-e}"}\n  db: {image: b}\n  tool: {image: c, profiles: [tools, more]}\n',
      '.env': 'TAG=1\n',
    },
  });
  const options = { cwd: folder.path, env: folder.environment, timeoutMs: 60_000 };
  const lines = (text: string): string[] =>
    text
      .replace(/^time="[^"]*"/gm, 'time=""')
      .trim()
      .split('\n');
  for (const line of LINES) {
    const [own, peer] = await Promise.all([
      run([WHARF, 'compose', ...line], options),
      run([compose, ...line], options),
    ]);
    const said = lines(peer.stderr);
    // After docker compose's lines wharf says what to do.
    const told = lines(own.stderr).slice(0, said.length);
    assert.deepEqual([own.code, own.stdout, told], [peer.code, peer.stdout, said], line.join(' '));
  }
  return undefined;
});
