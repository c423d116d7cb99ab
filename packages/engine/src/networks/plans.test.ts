import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bridgeSettings, checkCreateRequest } from './create-request.ts';
import { AddressPool, choosePool } from './ipam.ts';
import { formatIpv4, overlaps, parseCidr, parseIpv4 } from './ipv4.ts';
import { macOf, parseNetworkMode } from './network.ts';

const subnetOf = (text: string) => parseCidr(text)?.subnet ?? assert.fail();
const ipv4 = fc.nat({ max: 0xffffffff });

test('formatIpv4() and parseIpv4() undo each other', () => {
  fc.assert(fc.property(ipv4, (address) => parseIpv4(formatIpv4(address)) === address));
});

test('overlaps() is what comparing ranges says', () => {
  const subnet = fc
    .tuple(ipv4, fc.integer({ min: 0, max: 32 }))
    .map(([address, length]) => subnetOf(`${formatIpv4(address)}/${length}`));
  const end = (s: { base: number; length: number }): number => s.base + 2 ** (32 - s.length);
  fc.assert(fc.property(subnet, subnet, (a, b) => overlaps(a, b) === (a.base < end(b) && b.base < end(a))));
});

test('choosePool() takes the first of the default pools that nothing uses', () => {
  assert.equal(formatIpv4(choosePool([]).base), '172.17.0.0');
  assert.equal(formatIpv4(choosePool([subnetOf('172.17.5.0/24'), subnetOf('172.18.0.0/15')]).base), '172.20.0.0');
  assert.equal(formatIpv4(choosePool([subnetOf('172.16.0.0/12')]).base), '192.168.0.0');
  assert.throws(() => choosePool([subnetOf('0.0.0.0/0')]), { kind: 'resource-exhausted' });
});

test('AddressPool gives the lowest free address, and none twice', () => {
  const pool = new AddressPool({ subnet: '10.0.0.0/29', gateway: '10.0.0.1', reserved: ['10.0.0.3'] });
  assert.deepEqual([pool.take(), pool.take()], ['10.0.0.2', '10.0.0.4']);
  pool.takeExactly('10.0.0.5');
  assert.throws(() => pool.takeExactly('10.0.0.5'), { message: 'Address already in use' });
  assert.throws(() => pool.takeExactly('10.0.1.5'), { kind: 'invalid-argument' });
  assert.equal(pool.take(), '10.0.0.6');
  assert.throws(() => pool.take(), { kind: 'resource-exhausted' });
  pool.release('10.0.0.2');
  pool.release('10.0.0.2');
  assert.equal(pool.take(), '10.0.0.2');
});

test('AddressPool never gives an address out that somebody has', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('take'), fc.nat({ max: 30 })), { maxLength: 80 }), (steps) => {
      const pool = new AddressPool({ subnet: '10.0.0.0/27', gateway: '10.0.0.1', reserved: [] });
      const held: string[] = [];
      for (const step of steps) {
        if (step !== 'take') {
          const address = held.splice(Number(step) % Math.max(held.length, 1), 1)[0];
          if (address !== undefined) pool.release(address);
        } else if (held.length < 29) {
          const address = pool.take();
          assert.ok(!held.includes(address) && !['10.0.0.0', '10.0.0.1', '10.0.0.31'].includes(address));
          held.push(address);
        }
      }
    }),
  );
});

test('checkCreateRequest() refuses in the words of Docker', () => {
  const refuse = (request: Parameters<typeof checkCreateRequest>[0], message: RegExp): void => {
    assert.throws(() => checkCreateRequest(request), { message });
  };
  refuse({ Name: 'bridge' }, /^operation is not permitted on predefined bridge network $/);
  refuse({ Name: 'x', Driver: 'macvlan' }, /plugin "macvlan" not found/);
  refuse(
    { Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.1/24' }] } },
    /invalid subnet 10\.0\.0\.1\/24: it should be 10\.0\.0\.0\/24/,
  );
  refuse(
    { Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.0/24', Gateway: '10.0.1.1' }] } },
    /invalid gateway 10\.0\.1\.1: parent subnet 10\.0\.0\.0\/24 doesn't contain this address/,
  );
  refuse(
    { Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.0/24', IPRange: '10.0.0.0/16' }] } },
    /CIDR block is bigger than its parent subnet/,
  );
});

test('bridgeSettings() puts the gateway first and refuses subnets that our networks have', () => {
  const facts = {
    id: 'abcdef012345678',
    mtu: 1500,
    ownSubnets: [subnetOf('10.1.0.0/16')],
    hostSubnets: [subnetOf('172.17.0.0/16')],
  };
  assert.equal(bridgeSettings({ Name: 'x' }, facts).subnet, '172.18.0.0/16');
  const ranged = bridgeSettings(
    { Name: 'x', IPAM: { Config: [{ Subnet: '10.44.0.0/24', IPRange: '10.44.0.128/25' }] } },
    facts,
  );
  assert.deepEqual([ranged.name, ranged.gateway], ['br-abcdef012345', '10.44.0.128']);
  assert.throws(
    () => bridgeSettings({ Name: 'x', IPAM: { Config: [{ Subnet: '10.1.2.0/24' }] } }, facts),
    /Pool overlaps/,
  );
});

test('parseNetworkMode() reads the modes of Docker', () => {
  assert.deepEqual(parseNetworkMode(undefined), { kind: 'network', name: 'bridge' });
  assert.deepEqual(parseNetworkMode('default'), { kind: 'network', name: 'bridge' });
  assert.deepEqual(parseNetworkMode('container:abc'), { kind: 'container', container: 'abc' });
  assert.equal(macOf('172.17.0.2'), '02:42:ac:11:00:02');
});
