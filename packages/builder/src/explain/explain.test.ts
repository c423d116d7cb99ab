import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { MAX_LINE_HISTORIES } from '../limits.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { CopyAction, RunVertex } from '../plan/vertex.ts';
import { type ContextIndex, writeIndex } from '../sources/context-index.ts';
import { changedFiles } from './changed-files.ts';
import { Explainer } from './explainer.ts';
import { LineHistories, type LineRecord } from './line-history.ts';
import { nearestLine, reasonOf } from './reason.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-explain-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const RUN = { args: ['sh', '-c', 'make'], env: ['A=1', 'B=2'], cwd: '/', user: '', network: 'default', platform: {} };

function run(more: object = {}, line: Partial<LineRecord> = {}): LineRecord {
  const details = { ...RUN, mounts: [], ...more };
  return { stage: 'one', index: 1, text: 'RUN make', base: 'FROM x', parts: ['run', 'tree', details], ...line };
}

function copy(content: string, more: object = {}): LineRecord {
  const actions = [{ kind: 'copy', destination: '/', content, ...more }];
  return { stage: 'one', index: 2, text: 'COPY src /', base: 'RUN make', parts: ['file', 'tree', actions] };
}

function why(line: LineRecord, before: LineRecord | undefined, more: Partial<Parameters<typeof reasonOf>[0]> = {}) {
  return reasonOf({
    ...{ line, before, found: 'absent', isBaseImage: false, buildArguments: new Set(['A']) },
    changedFiles: () => undefined,
    ...more,
  });
}

test('reasonOf() names what differs from the same line as it was before', () => {
  assert.equal(why(run(), undefined), 'ran: never built here');
  assert.equal(why(run(), run(), { found: 'kept' }), 'cached: same command on the same files');
  assert.equal(why(copy('x'), undefined, { found: 'kept' }), 'cached: same files');
  assert.equal(why(run(), run(), { found: 'not looked for' }), 'ran: the cache is switched off for it (--no-cache)');
  assert.equal(why(run(), run()), 'ran: nothing changed, but its result is not in the cache any more');
  assert.equal(why(run({ args: ['other'] }), run()), 'ran: command changed');
  assert.equal(
    why(run({ env: ['A=2', 'C=3'] }), run()),
    'ran: build arg A changed; variable B changed; variable C changed',
  );
  assert.equal(
    why(run({ user: 'me', cwd: '/x' }), run()),
    'ran: working directory changed, before /; user changed, before root',
  );
  const mounts = (content: string) => ({ mounts: [{ target: '/m', content }] });
  assert.equal(why(run(mounts('b')), run(mounts('a'))), 'ran: what is mounted at /m changed');
  assert.equal(why(run(mounts('b')), run()), 'ran: mount at /m changed');
  const onOther = run({}, { parts: ['run', 'other tree', { ...RUN, mounts: [] }] });
  assert.equal(why(onOther, run()), 'ran: earlier step changed (FROM x)');
  assert.equal(why(onOther, run(), { isBaseImage: true }), 'ran: base image changed (FROM x)');
});

test('reasonOf() names a few of the files that changed', () => {
  const files = (names: readonly string[] | undefined) => why(copy('new'), copy('old'), { changedFiles: () => names });
  assert.equal(files(['a']), 'ran: 1 file changed (a)');
  assert.equal(files(['a', 'b', 'c', 'd']), 'ran: 4 files changed (a, b, c, …)');
  assert.equal(files(undefined), 'ran: files changed');
  assert.equal(why(copy('x', { destination: '/else' }), copy('x')), 'ran: instruction changed');
});

test('nearestLine() finds a line that moved, and else the one of its place', () => {
  const before = [run({}, { text: 'RUN a' }), run({}, { text: 'RUN b', index: 2 }), run({}, { stage: 'two' })];
  assert.equal(nearestLine(run({}, { text: 'RUN a', index: 2 }), before)?.index, 1);
  assert.equal(nearestLine(run({}, { text: 'RUN new', index: 2 }), before)?.text, 'RUN b');
  assert.equal(nearestLine(copy('x'), before), undefined);
});

const entry = (digest: string, mode = 0o100644) => ({ mode, sizeBytes: 1, mtimeNs: 0n, link: '', digest });
const action: CopyAction = {
  ...{ kind: 'copy', source: undefined, path: '/src', destination: '/', owner: '', mode: '', wildcards: false },
  ...{ contentsOnly: true, followLinks: false, unpack: false, include: [], exclude: [], required: [] },
};

function index(name: string, entries: ContextIndex): string {
  const path = join(scratch, name);
  writeIndex(path, 'boot', entries);
  return path;
}

test('changedFiles() compares two indexes of a context where a copy looks', () => {
  const before = index(
    'before',
    new Map([
      ['src', entry('', 0o040755)],
      ['src/a', entry('1')],
      ['src/b', entry('1')],
      ['src/gone', entry('1')],
      ['out', entry('1')],
    ]),
  );
  const now = index(
    'now',
    new Map([
      ['src', entry('', 0o040755)],
      ['src/a', entry('2')],
      ['src/b', entry('1', 0o100755)],
      ['src/new', entry('1')],
      ['out', entry('2')],
    ]),
  );
  assert.deepEqual(changedFiles(before, now, action), ['src/a', 'src/b', 'src/gone', 'src/new']);
  assert.deepEqual(changedFiles(before, now, { ...action, exclude: ['src/b', '**/new'] }), ['src/a', 'src/gone']);
  assert.deepEqual(changedFiles(before, now, { ...action, path: '/o*', wildcards: true }), ['out']);
  assert.equal(changedFiles(join(scratch, 'none'), now, action), undefined);
});

test('LineHistories keep what was written last, with the index as it was, and no more than so many', async () => {
  const root = join(scratch, 'lines');
  const histories = new LineHistories(root);
  assert.deepEqual(histories.read('x'), []);
  const path = index('index', new Map([['a', entry('1')]]));
  await histories.write('x', [run()], new Map([['context', path]]));
  // An index is replaced, never written to.
  index('index', new Map([['a', entry('2')]]));
  assert.deepEqual(histories.read('x'), JSON.parse(JSON.stringify([run()])));
  const kept = histories.indexPath('x', 'context') ?? '';
  assert.deepEqual(changedFiles(kept, path, { ...action, path: '/' }), ['a']);
  for (let number = 0; number < MAX_LINE_HISTORIES * 2 + 2; number += 1)
    await histories.write(`n${number}`, [run()], new Map());
  assert.ok(readdirSync(root).length <= MAX_LINE_HISTORIES * 2);
  mkdirSync(join(scratch, 'bad'));
  assert.deepEqual(new LineHistories(join(scratch, 'bad', 'none')).read('x'), []);
});

test('Explainer.save() does not fail a build whose disk takes nothing', async () => {
  const blocked = join(scratch, 'a-file');
  writeFileSync(blocked, '');
  const told: string[] = [];
  const explainer = new Explainer({
    ...{ histories: new LineHistories(join(blocked, 'lines')), name: 'x', buildArguments: [] },
    tell: (_, text) => told.push(text),
  });
  const vertex: RunVertex = {
    ...{ kind: 'run', base: undefined, args: ['x'], env: [], hiddenEnv: [], cwd: '/', user: '', mounts: [] },
    ...{ network: 'default', insecure: false, hostname: '', platform: hostPlatform(), noCache: false, name: 'RUN x' },
  };
  const nothing = () => undefined;
  const stage = { stage: { name: 'one' }, buildArgs: [], steps: [{ result: vertex, makesTree: true, text: 'RUN x' }] };
  const plan = { stages: [stage] } as unknown as BuildPlan;
  const observer = explainer.watch({ started: nothing, output: nothing, done: nothing }, [plan]);
  await observer.keyed?.(vertex, { parts: ['run', '', {}], inputs: [], found: 'absent' });
  await explainer.save();
  assert.deepEqual(told, ['ran: never built here']);
});
