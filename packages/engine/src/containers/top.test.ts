import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePs, validatePsArguments } from './top.ts';

const output = `UID          PID    PPID CMD
root           1       0 /sbin/init splash
root          42       1 sh -c  echo  hi
root          43      42 sleep 10
`;

test('parsePs() picks the lines of the pids and joins the command again', () => {
  assert.deepEqual(parsePs(output, new Set([42, 43])), {
    Titles: ['UID', 'PID', 'PPID', 'CMD'],
    Processes: [
      ['root', '42', '1', 'sh -c echo hi'],
      ['root', '43', '42', 'sleep 10'],
    ],
  });
});

test('parsePs() keeps the thread lines of its processes', () => {
  const threads = 'PID TTY CMD\n1 ? init\n- - t1\n7 ? mine\n- - t2\n';
  assert.deepEqual(parsePs(threads, new Set([7])).Processes, [
    ['7', '?', 'mine'],
    ['-', '-', 't2'],
  ]);
});

test('parsePs() refuses output without a PID column, and bad pids', () => {
  assert.throws(() => parsePs('UID CMD\nroot sh\n', new Set()), /Couldn't find PID field in ps output/);
  assert.throws(() => parsePs('PID CMD\nx sh\n', new Set()), /Unexpected pid 'x'/);
});

test('validatePsArguments() refuses another column called PID', () => {
  assert.throws(() => validatePsArguments('-o ppid=PID'), /specifying "ppid=PID" is not allowed/);
  validatePsArguments('-o pid=PID,cmd');
});
