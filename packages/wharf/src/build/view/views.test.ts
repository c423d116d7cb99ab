import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusMessage } from '@wharf/builder/buildkit/messages';
import { BuildModel, EXPLANATION } from '../model.ts';
import { frame } from './frame.ts';
import { paints } from './paint.ts';
import { PlainView } from './plain.ts';
import { rawJsonView } from './rawjson.ts';
import { byteSize, duration, fit, plainLine, widthOf } from './text.ts';

const BEGIN = 1_700_000_000;
const at = (seconds: number) => ({
  seconds: BEGIN + Math.floor(seconds),
  nanos: Math.round((seconds % 1) * 1000) * 1_000_000,
});
const step = (digest: string, name: string, from: number) => ({ digest, name, started: at(from) });
const log = (vertex: string, when: number, text: string) => ({
  logs: [{ vertex, timestamp: at(when), stream: 1, msg: Buffer.from(text) }],
});

/** A build as a daemon told of it: a context, two stages side by side, one step cached, one that writes over its line, one that fails. */
const RECORDED: readonly StatusMessage[] = [
  { vertexes: [step('load', '[internal] load build context', 0)] },
  { statuses: [{ ID: 'transferring context:', vertex: 'load', current: 3_140_000, started: at(0) }] },
  { vertexes: [{ ...step('from', '[build 1/3] FROM docker.io/library/busybox:latest', 0), completed: at(0.1) }] },
  { vertexes: [{ ...step('load', '[internal] load build context', 0), completed: at(0.5) }] },
  { vertexes: [{ ...step('copy', '[build 2/3] COPY . /src', 0.5), completed: at(0.5), cached: true }] },
  { statuses: [{ ID: EXPLANATION, vertex: 'copy', name: 'cached: same files' }] },
  { vertexes: [step('make', '[build 3/3] RUN make all', 0.6), step('deps', '[web 2/2] RUN npm ci', 0.6)] },
  log('make', 0.7, 'cc one.c\ncc tw'),
  log('deps', 0.8, '\r 10%\r 20%'),
  log('make', 1, 'o.c\n'),
  { vertexes: [{ ...step('deps', '[web 2/2] RUN npm ci', 0.6), completed: at(2) }] },
  log('make', 2.5, 'make: *** [all] Error 2\n'),
  {
    vertexes: [{ ...step('make', '[build 3/3] RUN make all', 0.6), completed: at(2.6), error: 'exit code: 2' }],
  },
];

function modelAfter(count: number): BuildModel {
  const model = new BuildModel();
  for (const message of RECORDED.slice(0, count)) model.update(message);
  return model;
}

test('PlainView prints each step once, with its output, its parts and its end', () => {
  let text = '';
  const model = new BuildModel();
  const view = new PlainView({ model, write: (more) => (text += more), explain: true }, () => 0);
  for (const message of RECORDED) view.update(model.update(message));
  view.finish();
  assert.equal(
    text,
    `#1 [internal] load build context
#1 transferring context: 3.14MB
#1 DONE 0.5s

#2 [build 1/3] FROM docker.io/library/busybox:latest
#2 DONE 0.1s

#3 [build 2/3] COPY . /src
#3 CACHED

#4 [build 3/3] RUN make all
#4 0.100 cc one.c
#4 0.400 cc two.c
#4 1.900 make: *** [all] Error 2
#4 ERROR: exit code: 2

#5 [web 2/2] RUN npm ci
#5 1.400 \r 10%\r 20%
#5 DONE 1.4s

`,
  );
});

test('PlainView says why a step ran, and leaves one that goes on when another has waited for long', () => {
  let text = '';
  let now = 0;
  const model = new BuildModel();
  const view = new PlainView({ model, write: (more) => (text += more), explain: true }, () => now);
  const tell = (message: StatusMessage) => view.update(model.update(message));
  tell({ vertexes: [step('a', 'one', 0)] });
  tell({ vertexes: [step('b', 'two', 0)] });
  tell({ statuses: [{ ID: EXPLANATION, vertex: 'b', name: 'ran: never built here' }] });
  tell(log('b', 0.5, 'from two\n'));
  assert.equal(text, '#1 one\n');
  now = 1500;
  tell(log('a', 1.5, 'from one\n'));
  assert.equal(text, '#1 one\n#1 1.500 from one\n#1 ...\n\n#2 two\n#2 0.500 from two\n');
  tell({ vertexes: [{ ...step('b', 'two', 0), completed: at(2) }] });
  tell({ vertexes: [{ ...step('a', 'one', 0), completed: at(2), error: 'context canceled' }] });
  view.finish();
  assert.match(text, /#2 why: ran: never built here\n#2 DONE 2\.0s\n\n#1 one\n#1 CANCELED\n\n$/);
});

const options = {
  now: (BEGIN + 2) * 1000,
  startedAt: BEGIN * 1000,
  paint: paints(false),
  explain: false,
  title: 'web',
};

test('frame() shows running steps with their output, cached ones in one line, times and sizes', () => {
  const lines = frame(modelAfter(10).steps, { ...options, columns: 60, rows: 24 });
  assert.deepEqual(lines, [
    '[+] Building 2.0s (3/5)                                 web',
    ' ✔ 1 step from the cache: build 2/3',
    ' ✔ [internal] load build context 3.14MB                0.5s',
    ' ✔ [build 1/3] FROM docker.io/library/busybox:latest   0.1s',
    ' ▸ [build 3/3] RUN make all                            1.4s',
    '   │ cc one.c',
    '   │ cc two.c',
    ' ▸ [web 2/2] RUN npm ci                                1.4s',
    '   │  20%',
  ]);
});

test('frame() fits terminals of all sizes, and shows every running step before anything else', () => {
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
    [40, 10],
    [20, 4],
    [3, 2],
  ] as const) {
    for (let count = 0; count <= RECORDED.length; count += 1) {
      const model = modelAfter(count);
      const lines = frame(model.steps, { ...options, columns, rows });
      assert.ok(lines.length <= Math.max(2, rows - 1), `${lines.length} lines on ${rows} rows`);
      if (columns >= 20)
        for (const line of lines) assert.ok(widthOf(line) < columns, `"${line}" on ${columns} columns`);
      const running = model.steps.filter(({ completedAt }) => completedAt === undefined).length;
      if (rows >= 10) assert.equal(lines.filter((line) => line.startsWith(' ▸')).length, running);
    }
  }
});

test('frame() lists everything when the build has ended, failed steps among it', () => {
  const lines = frame(modelAfter(RECORDED.length).steps, { ...options, columns: 60, rows: 4, ending: 'failed' });
  assert.match(lines[0] ?? '', /^\[\+\] Building 2\.0s \(5\/5\) FAILED/);
  assert.ok(lines.some((line) => line.startsWith(' ✘ [build 3/3] RUN make all')));
  assert.equal(lines.length, 6);
  const cancelled = frame(modelAfter(8).steps, { ...options, columns: 60, rows: 24, ending: 'cancelled' });
  assert.ok(cancelled.some((line) => line.startsWith(' - [web 2/2] RUN npm ci')));
});

test('frame() puts the explanation below its step, and folds nothing then', () => {
  const lines = frame(modelAfter(6).steps, { ...options, explain: true, columns: 60, rows: 24 });
  assert.deepEqual(lines.slice(-2), [
    ' ✔ [build 2/3] COPY . /src                           cached',
    '   └ cached: same files',
  ]);
});

test('rawJsonView() writes what BuildKit calls a SolveStatus, a line each', () => {
  let text = '';
  const view = rawJsonView((more) => (text += more));
  for (const message of RECORDED.slice(0, 2)) view.update([], message);
  view.update([], log('make', 0.7, 'x'));
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { vertexes: [{ digest: 'load', name: '[internal] load build context', started: '2023-11-14T22:13:20Z' }] },
      {
        statuses: [
          { id: 'transferring context:', vertex: 'load', current: 3_140_000, started: '2023-11-14T22:13:20Z' },
        ],
      },
      { logs: [{ vertex: 'make', stream: 1, data: 'eA==', timestamp: '2023-11-14T22:13:20.7Z' }] },
    ],
  );
});

test('plainLine() leaves what a terminal would show; widthOf() and fit() count columns', () => {
  assert.equal(plainLine('\u001b[32mgreen\u001b[0m\tx\u0007'), 'green    x');
  assert.equal(plainLine('10%\r20%\r'), '20%');
  assert.equal(plainLine('\u001b]0;title\u0007text'), 'text');
  assert.equal(widthOf('日本e\u0301'), 5);
  assert.equal(fit('日本語', 5), '日本…');
  assert.equal(fit('short', 5), 'short');
  assert.equal(fit('x', 0), '');
});

test('duration() and byteSize() are short', () => {
  assert.deepEqual([940, 61_000, 3_720_000].map(duration), ['0.9s', '1m 01s', '1h 02m']);
  assert.deepEqual([0, 999, 3_141_592, 2_000_000_000].map(byteSize), ['0B', '999B', '3.14MB', '2GB']);
});
