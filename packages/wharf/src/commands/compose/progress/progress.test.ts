import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Board } from './board.ts';
import type { ProgressEvent, ProgressView } from './event.ts';
import { frame } from './frame.ts';
import { jsonProgress, plainProgress } from './plain.ts';

function written(make: (write: (text: string) => void) => ProgressView, events: readonly ProgressEvent[]): string {
  let text = '';
  const view = make((more) => {
    text += more;
  });
  for (const event of events) view.event(event);
  view.finish();
  return text;
}

test('plainProgress() writes docker compose lines, with the blank of the missing text', () => {
  const events: readonly ProgressEvent[] = [
    { id: 'Network a_default', status: 'working', statusText: 'Creating' },
    { id: 'web', status: 'done', text: 'Pulled' },
  ];
  assert.equal(
    written((write) => plainProgress({ write, dryRun: false }), events),
    ' Network a_default  Creating\n web Pulled \n',
  );
  assert.equal(
    written((write) => plainProgress({ write, dryRun: true }), events.slice(0, 1)),
    ' DRY-RUN MODE -  Network a_default  Creating\n',
  );
});

test('jsonProgress() leaves out what is empty and escapes as Go does', () => {
  const events: readonly ProgressEvent[] = [
    { id: 'l', parentId: 'web', status: 'working', text: 'Downloading', statusText: '[=>  ]', current: 1, total: 0 },
  ];
  assert.equal(
    written((write) => jsonProgress({ write, dryRun: false }), events),
    '{"id":"l","parent_id":"web","text":"Downloading","status":"[=\\u003e  ]","current":1}\n',
  );
});

test('frame() gives each piece of work a line with its time, and folds what is done where there is no room', () => {
  let now = 0;
  const board = new Board(() => now);
  board.event({ id: 'Network a_default', status: 'done', statusText: 'Created' });
  board.event({ id: 'Container a-db-1', status: 'working', statusText: 'Starting' });
  now = 1200;
  const common = {
    title: 'Running',
    columns: 60,
    rows: 24,
    startedAt: 0,
    coloured: false,
    isOver: false,
    dryRun: false,
  };
  assert.deepEqual(frame(board.tasks, { ...common, now }), [
    '[+] Running 1/2                                        1.2s',
    ' ✔ Network a_default Created                           0.0s',
    ' ⠹ Container a-db-1  Starting                          1.2s',
  ]);
  const low = frame(board.tasks, { ...common, now, rows: 4, columns: 40 });
  assert.equal(low.length, 3);
  for (let each = 0; each < 5; each += 1) board.event({ id: `c${each}`, status: 'done', statusText: 'Created' });
  const folded = frame(board.tasks, { ...common, now, rows: 5 });
  assert.equal(folded.length, 4);
  assert.match(folded[1] ?? '', /5 more/);
  assert.ok(folded.some((line) => line.includes('a-db-1')));
});

test('frame() shows how full the parts of a transfer are, with sizes once all are known', () => {
  const board = new Board(() => 0);
  board.event({ id: 'web', status: 'working', text: 'Pulling' });
  const part = { parentId: 'web', status: 'working', text: 'Downloading' } as const;
  board.event({ ...part, id: 'l1', current: 5_000_000, total: 10_000_000, percent: 50 });
  const options = {
    title: 'Pulling',
    columns: 80,
    rows: 24,
    startedAt: 0,
    coloured: false,
    isOver: false,
    dryRun: false,
  };
  assert.match(frame(board.tasks, { ...options, now: 0 })[1] ?? '', /web Pulling \[⣤\] 5MB \/ 10MB/);
  board.event({ ...part, id: 'l2' });
  assert.match(frame(board.tasks, { ...options, now: 0 })[1] ?? '', /web Pulling \[⣤⠀\] /);
});
