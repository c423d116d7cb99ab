import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText, parseFlags } from './flags.ts';
import { DIRECTIVES } from './schema.ts';

function valuesOf(...argv: string[]): Record<string, unknown> {
  return Object.fromEntries(parseFlags(argv).values);
}

test('parseFlags() reads long flags with a space or an equals sign', () => {
  assert.deepEqual(valuesOf('--data-root', '/a', '--exec-root=/b'), { 'data-root': '/a', 'exec-root': '/b' });
});

test('parseFlags() repeats lists and maps', () => {
  const found = valuesOf(
    '-H',
    'unix:///a',
    '-Htcp://127.0.0.1:1',
    '--log-opt',
    'max-size=1m',
    '--log-opt',
    'max-file=3',
  );
  assert.deepEqual(found, {
    host: ['unix:///a', 'tcp://127.0.0.1:1'],
    'log-opt': { 'max-size': '1m', 'max-file': '3' },
  });
});

test('parseFlags() reads joined short flags', () => {
  assert.deepEqual(valuesOf('-Dl', 'warn'), { debug: true, 'log-level': 'warn' });
  assert.deepEqual(valuesOf('-D=false', '-lwarn'), { debug: false, 'log-level': 'warn' });
});

test('parseFlags() refuses with the reason', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--nonsense'], /unknown flag: --nonsense/],
    [['-x'], /unknown shorthand flag: 'x' in -x/],
    [['--data-root'], /flag needs an argument: --data-root/],
    [['start'], /"wharfd" accepts no arguments, got "start"/],
    [['--mtu', 'big'], /invalid argument "big" for "--mtu" flag: must be an integer/],
    [['--mtu', '5'], /must be between 68 and 65535/],
    [['--host', 'http://x'], /must start with unix:\/\/ or tcp:\/\//],
    [['--host', 'unix://relative'], /absolute path/],
    [['--dns', '1.2.3'], /is not an ip address/],
    [['--bip', '172.17.0.1'], /invalid CIDR address/],
    [['--label', 'lonely'], /bad attribute format/],
    [['--log-level', 'loud'], /must be one of debug, info, warn, error, fatal/],
    [['--registry-mirror', 'ftp://x'], /unsupported scheme/],
    [['--add-runtime', 'x'], /must be key=value/],
    [['--debug=maybe'], /must be true or false/],
    [['--bridge', 'a-name-longer-than-linux-takes'], /interface name/],
  ];
  for (const [argv, message] of cases) assert.throws(() => parseFlags(argv), { message }, argv.join(' '));
});

test('helpText() names every directive', () => {
  const text = helpText();
  for (const { flag } of DIRECTIVES) assert.match(text, new RegExp(`--${flag}\\b`));
});
