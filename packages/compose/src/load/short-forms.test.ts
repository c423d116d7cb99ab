import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settleDuration } from './durations.ts';
import { parsePortSpec } from './port-spec.ts';
import { splitWords } from './shell-words.ts';
import { goString } from './values.ts';
import { parseVolumeSpec } from './volume-spec.ts';

const VOLUMES: readonly (readonly [string, object])[] = [
  ['data:/data', { type: 'volume', source: 'data', target: '/data', volume: {} }],
  ['/data', { type: 'volume', target: '/data', volume: {} }],
  ['./a:/b/', { type: 'bind', source: './a', target: '/b', bind: { create_host_path: true } }],
  ['~/a:/b:ro', { type: 'bind', source: '~/a', target: '/b', read_only: true, bind: { create_host_path: true } }],
  [
    '/a:/b:rshared,z',
    {
      type: 'bind',
      source: '/a',
      target: '/b',
      bind: { propagation: 'rshared', selinux: 'z', create_host_path: true },
    },
  ],
  ['data:/b:nocopy,rw', { type: 'volume', source: 'data', target: '/b', volume: { nocopy: true } }],
  ['C:\\a:/b', { type: 'bind', source: 'C:\\a', target: '/b', bind: { create_host_path: true } }],
  ['/c', { type: 'volume', target: '/c' }],
  ['${A:-b}:/c', { type: 'volume', source: '${A:-b}', target: '/c', volume: {} }],
];

for (const [spec, expected] of VOLUMES)
  test(`parseVolumeSpec() reads ${spec}`, () => assert.deepEqual(plain(parseVolumeSpec(spec)), expected));

test('parseVolumeSpec() refuses empty parts and too many of them', () => {
  assert.throws(() => parseVolumeSpec(''), /^Error: invalid empty volume spec$/);
  assert.throws(() => parseVolumeSpec('aa::/b'), /^Error: invalid spec: aa::\/b: empty section between colons$/);
  assert.throws(() => parseVolumeSpec('aa:/b:ro:x'), /^Error: invalid spec: aa:\/b:ro:x: too many colons$/);
});

const PORTS: readonly (readonly [string, readonly string[]])[] = [
  ['80', [':→80/tcp']],
  ['8080:80', [':8080→80/tcp']],
  ['8080:80/UDP', [':8080→80/udp']],
  ['127.0.0.1:8080:80', ['127.0.0.1:8080→80/tcp']],
  ['127.0.0.1::80', ['127.0.0.1:→80/tcp']],
  ['[::1]:8080:80', ['::1:8080→80/tcp']],
  ['3000-3002', [':→3000/tcp', ':→3001/tcp', ':→3002/tcp']],
  ['9999-10000:9999-10000', [':10000→10000/tcp', ':9999→9999/tcp']],
  ['5000-5010:7777', [':5000-5010→7777/tcp']],
];

for (const [spec, expected] of PORTS)
  test(`parsePortSpec() reads ${spec}`, () =>
    assert.deepEqual(
      parsePortSpec(spec).map(
        ({ host_ip: address = '', published = '', target = null, protocol = '' }) =>
          `${goString(address)}:${goString(published)}→${goString(target)}/${goString(protocol)}`,
      ),
      expected,
    ));

const BAD_PORTS: readonly (readonly [string, string])[] = [
  ['80:', 'No port specified: 80:<empty>'],
  ['80:x', 'Invalid containerPort: x'],
  ['x:80', 'Invalid hostPort: x'],
  ['80:70000', 'Invalid containerPort: 70000'],
  ['1-3:4-5', 'Invalid ranges specified for container and host Ports: 4-5 and 1-3'],
  ['80/http', 'Invalid proto: http'],
  ['host:1:2', 'Invalid ip address: host'],
  ['90-80', 'Invalid containerPort: 90-80'],
];

for (const [spec, message] of BAD_PORTS)
  test(`parsePortSpec() refuses ${spec}`, () => assert.throws(() => parsePortSpec(spec), { message }));

const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['a  b\tc', ['a', 'b', 'c']],
  ['echo "a b" \'c "d"\' e\\ f', ['echo', 'a b', 'c "d"', 'e f']],
  ['a "" \'\'', ['a', '', '']],
  ['a"b"c', ['abc']],
  ['a $(b c) `d e`', ['a', '$(b c)', '`d e`']],
  ['a 2>b', ['a']],
  ['a; b', ['a']],
  ['a "b;c"', ['a', 'b;c']],
];

for (const [line, words] of COMMANDS)
  test(`splitWords() splits ${JSON.stringify(line)}`, () => assert.deepEqual(splitWords(line), words));

for (const line of ['a "b', "a 'b", 'a \\', 'a (b)', 'a `b'])
  test(`splitWords() refuses ${JSON.stringify(line)}`, () =>
    assert.throws(() => splitWords(line), { message: 'invalid command line string' }));

const DURATIONS: readonly (readonly [string, string])[] = [
  ['10s', '10s'],
  ['90s', '1m30s'],
  ['1m30s', '1m30s'],
  ['1.5h', '1h30m0s'],
  ['2d', '48h0m0s'],
  ['1w', '168h0m0s'],
  ['0', '0s'],
  ['500ms', '500ms'],
  ['-1s', '-1s'],
];

for (const [text, expected] of DURATIONS)
  test(`settleDuration() reads ${text}`, () => assert.equal(settleDuration(text), expected));

const BAD_DURATIONS: readonly (readonly [string, string])[] = [
  ['5', 'time: missing unit in duration "5"'],
  ['5x', 'time: unknown unit "x" in duration "5x"'],
  ['', 'time: invalid duration ""'],
  ['x', 'time: invalid duration "x"'],
];

for (const [text, message] of BAD_DURATIONS)
  test(`settleDuration() refuses "${text}"`, () => assert.throws(() => settleDuration(text), { message }));

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
