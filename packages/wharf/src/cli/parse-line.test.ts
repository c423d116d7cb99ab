import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlagError } from './errors.ts';
import type { FlagTable } from './flags.ts';
import { parseLine } from './parse-line.ts';

const FLAGS = {
  all: { kind: 'bool', short: 'a', help: '' },
  detach: { kind: 'bool', short: 'd', help: '' },
  'sig-proxy': { kind: 'bool', default: true, help: '' },
  env: { kind: 'list', short: 'e', help: '' },
  filter: { kind: 'list', short: 'f', help: '', parse: (text: string) => text.toUpperCase() },
  format: { kind: 'string', help: '' },
  gateway: { kind: 'strings', help: '' },
  hostname: { kind: 'string', short: 'h', help: '' },
  last: { kind: 'int', short: 'n', default: -1, help: '' },
  memory: { kind: 'bytes', short: 'm', help: '' },
  opt: { kind: 'map', short: 'o', help: '' },
  old: { kind: 'bool', help: '', deprecated: 'use --all' },
  pull: { kind: 'string', bare: 'always', help: '' },
  verbose: { kind: 'count', help: '' },
  wait: { kind: 'duration', help: '' },
} as const satisfies FlagTable;

const parse = (...line: readonly string[]) => parseLine(FLAGS, line, { interspersed: true });
const refuses = (line: readonly string[], message: string) =>
  assert.throws(
    () => parse(...line),
    (error) => error instanceof FlagError && error.message === message,
  );

test('parseLine() reads flags in every spelling, anywhere before --', () => {
  const line = ['-ade', 'A=1', 'x', '--env=B=2', '-eC=3', '-e=D=4', '--sig-proxy=false', '-', '--', '--all'];
  const { values, positionals, beforeDash, given } = parse(...line);
  assert.deepEqual(values['env'], ['A=1', 'B=2', 'C=3', 'D=4']);
  assert.deepEqual([values['all'], values['detach'], values['sig-proxy']], [true, true, false]);
  assert.deepEqual(positionals, ['x', '-', '--all']);
  assert.equal(beforeDash, 2);
  assert.deepEqual([...given].toSorted(), ['all', 'detach', 'env', 'sig-proxy']);
});

test('parseLine() reads each kind as Go does, and gives defaults for what is not there', () => {
  const line = ['-n', '0x10', '-m', '1.5g', '--wait', '1m30s', '-o', 'a=1', '-o', 'b', '-o', 'a=2', '-fname=x'];
  const { values } = parse(...line, '--gateway', '"a,b",c', '--gateway', 'd', '--verbose', '--verbose', '--pull', 'x');
  assert.deepEqual([values['last'], values['memory'], values['wait']], [16, 1.5 * 1024 ** 3, 90e9]);
  assert.deepEqual(values['opt'], { a: '2', b: '' });
  assert.deepEqual(values['gateway'], ['a,b', 'c', 'd']);
  assert.deepEqual(values['filter'], ['NAME=X']);
  assert.deepEqual([values['verbose'], values['pull']], [2, 'always']);
  const none = parse().values;
  assert.deepEqual([none['all'], none['sig-proxy'], none['last'], none['format']], [false, true, -1, undefined]);
  assert.deepEqual([none['env'], none['opt'], none['verbose']], [[], {}, 0]);
});

test('parseLine() ends the flags at the first argument when they may not be interspersed', () => {
  const { values, positionals } = parseLine(FLAGS, ['-a', 'image', '-d', '--', 'x'], { interspersed: false });
  assert.deepEqual([values['all'], values['detach']], [true, false]);
  assert.deepEqual(positionals, ['image', '-d', '--', 'x']);
});

test("parseLine() refuses in pflag's words", () => {
  refuses(['--foo'], 'unknown flag: --foo');
  refuses(['-az'], "unknown shorthand flag: 'z' in -z");
  refuses(['-a='], "unknown shorthand flag: '=' in -=");
  refuses(['--format'], 'flag needs an argument: --format');
  refuses(['-ae'], "flag needs an argument: 'e' in -e");
  refuses(['-h'], "flag needs an argument: 'h' in -h");
  refuses(['--=x'], 'bad flag syntax: --=x');
  refuses(['---x'], 'bad flag syntax: ---x');
  refuses(['-n', 'x'], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax');
  refuses(
    ['--all=foo'],
    'invalid argument "foo" for "-a, --all" flag: strconv.ParseBool: parsing "foo": invalid syntax',
  );
  refuses(['-m', 'x'], 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\'');
  refuses(['--help=x'], 'invalid argument "x" for "--help" flag: strconv.ParseBool: parsing "x": invalid syntax');
});

test('parseLine() names the nearest flag, understands help, and complains of flags that go away', () => {
  assert.throws(() => parse('--fromat', 'x'), { hint: 'Did you mean --format?' });
  assert.equal(parse('--help').help, true);
  assert.deepEqual(parse('--old').warnings, ['Flag --old has been deprecated, use --all']);
  const { help, warnings } = parseLine({}, ['-h'], { interspersed: true });
  assert.deepEqual({ help, warnings }, { help: true, warnings: ['Flag shorthand -h has been deprecated, use --help'] });
});
