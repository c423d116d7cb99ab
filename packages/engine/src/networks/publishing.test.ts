import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addForwards, addNetwork, elementCounts, fullTable, removeForwards, tableNameOf } from './nft-plan.ts';
import { parsePortKey, wantedPorts } from './wanted-ports.ts';

const FORWARD = {
  protocol: 'tcp',
  hostIp: '0.0.0.0',
  hostPort: 8080,
  address: '172.17.0.2',
  port: 80,
  count: 1,
} as const;
const NETWORK = {
  bridge: 'wharf0',
  internal: false,
  trusted: [],
  ipv4: { subnets: ['172.17.0.0/16'], masquerade: true, mode: 'nat' },
  ipv6: { subnets: ['fd17::/64'], masquerade: true, mode: 'nat' },
} as const;

test('wantedPorts() reads bindings, choices and exposed ports', () => {
  const wanted = wantedPorts(
    { ExposedPorts: { '80/tcp': {}, '53/udp': {} } },
    { PublishAllPorts: true, PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8000-8002' }] } },
    ['0.0.0.0', '::'],
  );
  const any = ['0.0.0.0', '::'];
  assert.deepEqual(wanted, [
    { protocol: 'tcp', port: 80, count: 1, hostIps: any, firstHostPort: 8000, lastHostPort: 8002 },
    { protocol: 'udp', port: 53, count: 1, hostIps: any, firstHostPort: 0, lastHostPort: 0 },
  ]);
  assert.equal(parsePortKey('70000/tcp'), undefined);
  assert.equal(parsePortKey('80/icmp'), undefined);
  assert.throws(() => wantedPorts({}, { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: 'x' }] } }, []), {
    kind: 'invalid-argument',
  });
});

test('wantedPorts() makes one range of ports that follow each other', () => {
  const PortBindings = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`${9000 + index}/udp`, [{ HostIp: '', HostPort: `${9000 + index}` }]]),
  );
  const [range, ...others] = wantedPorts({}, { PortBindings }, ['127.0.0.1']);
  assert.deepEqual([range?.port, range?.count, range?.hostIps], [9000, 1000, ['127.0.0.1']]);
  assert.deepEqual(others, []);
});

test('wantedPorts() keeps every port whatever is asked for', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
  fc.assert(
    fc.property(ports, fc.integer({ min: 0, max: 3 }), (list, shift) => {
      const PortBindings = Object.fromEntries(
        list.map((port) => [`${port}/tcp`, [{ HostIp: '', HostPort: `${port + shift}` }]]),
      );
      const wanted = wantedPorts({}, { PortBindings }, ['0.0.0.0', '::']);
      const covered = wanted.flatMap(({ port, count, firstHostPort }) =>
        Array.from({ length: count }, (_, index) => `${port + index}=${firstHostPort + index}`),
      );
      assert.deepEqual(covered.sort(), list.map((port) => `${port}=${port + shift}`).sort());
    }),
  );
});

test('the rules of a daemon have a table of their own, and elements only come and go', () => {
  assert.deepEqual([tableNameOf('wharf0'), tableNameOf('my-br.1')], ['wharf', 'wharf_my_br_1']);
  assert.equal(addForwards('wharf', [FORWARD]), 'add element inet wharf ports_any4 { tcp . 8080 : 172.17.0.2 . 80 }\n');
  assert.equal(
    removeForwards('wharf', [{ ...FORWARD, hostIp: '10.0.0.1' }]),
    'delete element inet wharf ports_bound4 { 10.0.0.1 . tcp . 8080 }\n',
  );
  assert.match(addNetwork('wharf', NETWORK), /nat_subnets4 \{ 172.17.0.0\/16 \}\n.*\n.*nat_subnets6 \{ fd17::\/64 \}/);
  assert.doesNotMatch(addNetwork('wharf', { ...NETWORK, internal: true }), /nat_subnets/);
  assert.ok(fullTable('wharf', [NETWORK], [FORWARD]).includes(addForwards('wharf', [FORWARD])));
});

test('a range that keeps its numbers is one element, in either family', () => {
  const range = { ...FORWARD, hostPort: 9000, port: 9000, count: 1000 };
  assert.equal(
    addForwards('wharf', [range, { ...range, hostIp: '::', address: 'fd17::2' }]),
    'add element inet wharf ranges_any4 { tcp . 9000-9999 : 172.17.0.2 }\n' +
      'add element inet wharf ranges_any6 { tcp . 9000-9999 : fd17::2 }\n' +
      'add element inet wharf relayed6 { 9000-9999 }\n',
  );
  const shifted = addForwards('wharf', [{ ...range, port: 1000, count: 2 }]);
  assert.equal(
    shifted,
    'add element inet wharf ports_any4 { tcp . 9000 : 172.17.0.2 . 1000, tcp . 9001 : 172.17.0.2 . 1001 }\n',
  );
});

test('gateway modes open what they should', () => {
  const routed = { ...NETWORK, ipv6: { ...NETWORK.ipv6, mode: 'routed' } } as const;
  assert.doesNotMatch(addNetwork('wharf', routed), /nat_subnets6/);
  assert.match(addNetwork('wharf', routed), /routed_bridges6 \{ "wharf0" \}/);
  const open = { ...NETWORK, ipv4: { ...NETWORK.ipv4, mode: 'nat-unprotected' } } as const;
  assert.match(addNetwork('wharf', open), /open_bridges4 \{ "wharf0" \}/);
  const forward = { ...FORWARD, hostIp: '::', address: 'fd17::2', routed: true };
  assert.equal(addForwards('wharf', [forward]), 'add element inet wharf open_ports6 { fd17::2 . tcp . 80 }\n');
  assert.equal(elementCounts([routed], [forward]).get('open_ports6'), 1);
});
