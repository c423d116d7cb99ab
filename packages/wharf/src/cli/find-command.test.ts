import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, type Command, defineCommand, exactly, type Group, noArguments } from './command.ts';
import { checkCount } from './count-arguments.ts';
import { findCommand } from './find-command.ts';
import { unknownCommand } from './unknown-command.ts';

const command = defineCommand({ usage: '', flags: {}, args: noArguments, run: () => Promise.resolve(0) });
const load = () => Promise.resolve(command);
const compose: Group = {
  name: 'compose',
  help: '',
  flags: { file: { kind: 'list', short: 'f', help: '' }, 'dry-run': { kind: 'bool', help: '' } },
  commands: [{ name: 'up', help: '', load }],
};
const root: Group = {
  name: 'wharf',
  help: '',
  commands: [
    compose,
    { name: 'ps', aliases: ['list'], help: '', load },
    { name: 'secret', help: '', hidden: true, load },
  ],
};

test('findCommand() follows names and aliases, and keeps the flags of each group apart', () => {
  const up = findCommand(root, 'wharf', ['compose', '-f', 'up', '--dry-run', 'up', '-d', 'web']);
  assert.deepEqual(up.names, ['wharf', 'compose', 'up']);
  assert.deepEqual(up.rest, ['-d', 'web']);
  assert.deepEqual(up.groupLines, [{ group: compose, line: ['-f', 'up', '--dry-run'] }]);
  assert.deepEqual(findCommand(root, 'wharf', ['list', '-a']).names, ['wharf', 'ps']);
  const lost = findCommand(root, 'wharf', ['compose', 'uq', 'x']);
  assert.equal(lost.node, compose);
  assert.deepEqual(lost.rest, ['uq', 'x']);
});

test('unknownCommand() names the nearest one, but not when it speaks as docker', () => {
  assert.equal(
    unknownCommand(root, ['wharf'], 'pss'),
    "wharf: unknown command: wharf pss\n\nDid you mean 'wharf ps'?\n\nRun 'wharf --help' for more information",
  );
  assert.equal(
    unknownCommand(root, ['docker'], 'pss'),
    "docker: unknown command: docker pss\n\nRun 'docker --help' for more information",
  );
  assert.match(
    unknownCommand(compose, ['wharf', 'compose'], 'q'),
    /^wharf: unknown command: wharf compose q\n\nUsage: {2}wharf compose\n\nRun/,
  );
  assert.doesNotMatch(unknownCommand(root, ['wharf'], 'secre'), /secret'/);
});

test("checkCount() complains in docker's words", () => {
  const check = (args: Command['args'], count: number) =>
    checkCount({ ...command, args, usage: 'X' }, ['wharf', 'ps'], count);
  check(exactly(2), 2);
  check(between(1, 2), 2);
  const says = (args: Command['args'], count: number, message: string) =>
    assert.throws(() => check(args, count), { status: 1, message });
  says(
    noArguments,
    1,
    "wharf: 'wharf ps' accepts no arguments\n\nUsage:  wharf ps X\n\nRun 'wharf ps --help' for more information",
  );
  says(
    exactly(1),
    0,
    "wharf: 'wharf ps' requires 1 argument\n\nUsage:  wharf ps X\n\nRun 'wharf ps --help' for more information",
  );
  says(
    { least: 1 },
    0,
    "wharf: 'wharf ps' requires at least 1 argument\n\nUsage:  wharf ps X\n\nSee 'wharf ps --help' for more information",
  );
  says(
    between(1, 2),
    3,
    "wharf: 'wharf ps' requires at least 1 and at most 2 arguments\n\nUsage:  wharf ps X\n\nRun 'wharf ps --help' for more information",
  );
});
