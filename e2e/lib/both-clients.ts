import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type RunResult, run } from '../../scripts/lib/run.ts';
import { dockerOf28 } from './docker-28.ts';
import { WHARF } from './wharf-user.ts';

const AT_ONCE = 6;

/** What a line gives: exit code, output and errors. */
type Shape = Readonly<Record<string, unknown>>;

/** Docker's client and ours, side by side on one daemon. */
export interface Clients {
  readonly folder: string;
  /** Ours, called by docker's name, so that it speaks of itself as docker. */
  readonly ours: string;
  theirs(): Promise<string>;
  environment(): NodeJS.ProcessEnv;
  /** Runs the lines of a file below e2e/cli-lists with both, in any order; throws what differs. */
  compare(name: string): Promise<void>;
  /** Runs the lines one after the other with the one, and then with the other. */
  compareInTurn(name: string): Promise<void>;
}

/** Both clients for all tests of a file; `more` is added to their environment, `undefined` takes a variable out. */
export function bothClients(
  host: () => string,
  more: () => Readonly<Record<string, string | undefined>> = () => ({}),
): Clients {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-clients-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const ours = join(folder, 'docker');
  symlinkSync(WHARF, ours);
  const config = join(folder, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'config.json'), '{}');
  const environment = (): NodeJS.ProcessEnv => {
    const { PATH, HOME } = process.env;
    return { PATH, HOME, DOCKER_CONFIG: config, DOCKER_HOST: host(), TZ: 'America/New_York', ...more() };
  };
  const runLine = async (program: string, line: string): Promise<Shape> => {
    const script = `docker() { '${program}' "$@"; }; ${line}`;
    return { line, ...normalized(await run(['sh', '-c', script], { env: environment(), timeoutMs: 30_000 })) };
  };
  return {
    ...{ folder, ours, environment, theirs: dockerOf28 },
    async compare(name) {
      const theirs = await dockerOf28();
      const lines = [...linesOf(name)];
      const differences: string[] = [];
      const work = async () => {
        for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
          const [wanted, got] = await Promise.all([runLine(theirs, line), runLine(ours, line)]);
          differences.push(...differenceOf(got, wanted));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      assert.deepEqual(differences, []);
    },
    async compareInTurn(name) {
      const results: Shape[][] = [];
      for (const client of [await dockerOf28(), ours]) {
        const all: Shape[] = [];
        for (const line of linesOf(name)) all.push(await runLine(client, line));
        results.push(all);
      }
      const [wanted = [], got = []] = results;
      assert.deepEqual(
        got.flatMap((result, index) => differenceOf(result, wanted[index] ?? {})),
        [],
      );
    },
  };
}

function linesOf(name: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../cli-lists', `${name}.txt`), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

function differenceOf(got: Shape, wanted: Shape): readonly string[] {
  try {
    assert.deepEqual(got, wanted);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

const RELATIVE = /(?:Less than a second|About an? \w+|\d+ (?:second|minute|hour)s?)(?: ago)?/g;

/** What differs from look to look has a name in its place, and a table's blanks are one. */
export function normalized({ code, stdout, stderr }: RunResult) {
  const plain = (text: string) =>
    text
      .replaceAll(RELATIVE, '<ago>')
      .replaceAll(/\b[0-9a-f]{64}\b/g, '<id>')
      .replaceAll(/\b[0-9a-f]{12}\b/g, '<short>')
      .replaceAll(/\b\d+(?:\.\d+)?%/g, '<share>')
      .replaceAll(/ {2,}/g, '  ');
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}
