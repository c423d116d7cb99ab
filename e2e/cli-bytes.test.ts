import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { findCommand } from '../scripts/lib/requirements.ts';
import { ROOT } from '../scripts/lib/root.ts';
import { must, type RunResult, run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { clientEnvironment } from './lib/docker.ts';
import { loadBusybox } from './lib/images.ts';
import { fetchFromSid } from './lib/sid.ts';

const folder = mkdtempSync(join(tmpdir(), 'wharf-bytes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * What ours says beyond docker's bytes: under its own name a hint after an error; also called docker, examples in help, and --json. `28.2`: docker's words
 * of that version, which later ones have changed.
 */
type Difference = 'hint' | 'help' | '28.2';

interface Shape {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Line {
  readonly text: string;
  readonly difference?: Difference;
}

/** Command lines of a file: one a line; `#` begins a comment, and `#! WORD` names how ours differs on purpose in the next line. */
function readLines(name: string): readonly Line[] {
  const lines: Line[] = [];
  let difference: Difference | undefined;
  for (const text of readFileSync(join(import.meta.dirname, 'cli-bytes', name), 'utf8').split('\n')) {
    if (text.startsWith('#!')) difference = text.slice(2).trim() as Difference;
    if (text === '' || text.startsWith('#')) continue;
    lines.push(difference === undefined ? { text } : { text, difference });
    difference = undefined;
  }
  return lines;
}

interface Docker {
  readonly path: string;
  readonly is282: boolean;
}

let found: Promise<Docker> | undefined;

/** The docker CLI to compare with: the machine's own if it is a 28.2, else that of Debian sid. */
function docker28(): Promise<Docker> {
  found ??= (async () => {
    const own = findCommand('docker');
    if (own !== undefined && / 28\.2\./.test(await must([own, '--version']))) return { path: own, is282: true };
    return { path: join(await fetchFromSid('docker-cli-sid', ['docker-cli']), 'usr/bin/docker'), is282: false };
  })();
  return found;
}

/** Runs all lines in an empty directory, `docker` in them being the program; `atOnce` of them at a time. */
async function runLines(
  program: string,
  lines: readonly Line[],
  { host, atOnce }: { readonly host: string; readonly atOnce: number },
): Promise<readonly RunResult[]> {
  const cwd = mkdtempSync(join(folder, 'place-'));
  const config = join(cwd, '.docker');
  mkdirSync(config);
  const env = { ...clientEnvironment(host), DOCKER_CONFIG: config, COLUMNS: undefined, TZ: 'UTC' };
  const results: RunResult[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < lines.length; at = next++) {
      const script = `docker() { '${program}' "$@"; }; ${lines[at]?.text ?? ''}`;
      results[at] = await run(['sh', '-c', script], { cwd, env, timeoutMs: 30_000 });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

const RELATIVE =
  /(?:(?:About )?(?:an?|\d+) (?:second|minute|hour)s?|Less than a second)( ago)?|(?<=Up )(?:Less than a second|(?:About )?(?:an?|\d+) \w+)/g;

/** The same text for the same behaviour: what differs from run to run has a name in its place. */
function normalized(text: string): string {
  const replaced = text
    .replaceAll(/\b[0-9a-f]{64}\b/g, '<id>')
    .replaceAll(/\b[0-9a-f]{12}\b/g, '<short>')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)?(?: UTC)?/g, '<time>')
    .replaceAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>')
    .replaceAll(/\b1(?:0|72|92)\.\d+\.\d+\.\d+\b/g, '<ip>')
    .replaceAll(/("(?:Pid|HostPort)": ?)"?\d+"?/g, '$1<number>')
    .replaceAll(/place-\w{6}/g, '<place>')
    .replaceAll(/\bwharf\b/g, 'docker');
  const relative = RELATIVE.test(replaced);
  RELATIVE.lastIndex = 0;
  // A table's columns are as wide as their widest time.
  return relative ? replaced.replaceAll(RELATIVE, '<ago>').replaceAll(/ {2,}/g, '  ') : replaced;
}

/** Help of ours has examples and one flag more. */
function withoutExtras(text: string): string {
  return text
    .replace(/\n\nExamples:\n(?: {2}.*(?:\n|$))+/, '\n')
    .replace(/^ +--json +.*\n/m, '')
    .replaceAll(/ {2,}/g, '  ');
}

/** What of a result is compared. */
function shapeOf(line: Line, result: RunResult): Shape {
  const [stdout, stderr] = [normalized(result.stdout), normalized(result.stderr)];
  return { code: result.code, stdout: line.difference === 'help' ? withoutExtras(stdout) : stdout, stderr };
}

/** How ours differs from theirs, as lines to read; empty when it does not. */
function differences(line: Line, theirs: RunResult, ours: RunResult): readonly string[] {
  const [wanted, got] = [shapeOf(line, theirs), shapeOf(line, ours)];
  const pairs = [
    ['exit status', String(wanted.code), String(got.code)],
    ['stdout', wanted.stdout, got.stdout],
    ['stderr', wanted.stderr, got.stderr],
  ] as const;
  return pairs
    .filter(([, a, b]) => a !== b)
    .map(([what, a, b]) => `$ ${line.text}\n${what} of docker:\n${marked(a, b)}${what} of wharf:\n${marked(b, a)}`);
}

/** The lines of a text, those marked that the other one does not have. */
function marked(text: string, other: string): string {
  const others = new Set(other.split('\n'));
  return text
    .split('\n')
    .filter((line) => !others.has(line))
    .map((line) => `  | ${line}\n`)
    .join('');
}

/** Runs a file's lines by docker, then by wharf called docker, on the same daemon; each leaves nothing. */
async function compare(file: string, atOnce: number): Promise<void> {
  const called = join(folder, 'docker');
  if (!existsSync(called)) symlinkSync(join(ROOT, 'bin/wharf'), called);
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  const docker = await docker28();
  const lines = readLines(file).filter(({ difference }) => docker.is282 || difference !== '28.2');
  const how = { host: daemon.host, atOnce };
  const theirs = await runLines(docker.path, lines, how);
  const ours = await runLines(called, lines, how);
  const problems = lines.flatMap((line, index) => {
    const [wanted, got] = [theirs[index], ours[index]];
    return wanted === undefined || got === undefined ? [] : differences(line, wanted, got);
  });
  const hinted = lines.filter(({ difference }) => difference === 'hint');
  const hints = await runLines(join(ROOT, 'bin/wharf'), hinted, how);
  for (const [index, line] of hinted.entries()) {
    const wanted = normalized(theirs[lines.indexOf(line)]?.stderr ?? '');
    const said = normalized(hints[index]?.stderr ?? '');
    const isMore = said.startsWith(wanted) && said.length > wanted.length;
    if (!isMore) problems.push(`$ ${line.text}\na hint does not follow:\n${said}`);
  }
  if (problems.length > 0) assert.fail(`${problems.length} differences\n${problems.join('\n')}`);
}

describe('wharf and docker say the same about', { concurrency: true }, () => {
  test('the life of containers', () => compare('containers.txt', 1));
  test('what is run, and what cannot be', () => compare('runs.txt', 1));
  test('images', () => compare('images.txt', 1));
  test('networks, volumes and the daemon', () => compare('networks-volumes.txt', 1));
  test('what is refused; under its own name ours goes on with what to do', () => compare('words.txt', 2));
  test('help; ours has examples, and --json', () => compare('help.txt', 2));
});
