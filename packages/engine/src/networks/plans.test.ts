import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NetworkAddresses } from './address-pool.ts';
import { bridgeSettings } from './bridge-options.ts';
import { checkCreateRequest, withDefaults } from './create-request.ts';
import { choosePool, poolsToSplit } from './default-pools.ts';
import { parseEndpointSysctl } from './endpoint-sysctls.ts';
import { familiesOf, poolsOf, shownIpam } from './ipam-request.ts';
import { macOf, parseNetworkMode } from './network.ts';
import { parentSettings, sharedParent } from './parent-options.ts';
import { upgraded } from './records.ts';
import { formatAddress, formatSubnet, lastOf, overlaps, parseAddress, parseCidr, subnetOf } from './subnet.ts';

const subnet = (text: string) => parseCidr(text)?.subnet ?? assert.fail();
const address = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ({ family: 4 as const, value })),
  fc.bigInt({ min: 1n << 48n, max: (1n << 128n) - 1n }).map((value) => ({ family: 6 as const, value })),
);
const ULA = 'fd12:3456:789a::/48';
const defaults = poolsToSplit([], ULA);
const facts = {
  own: [
    { subnet: subnet('10.1.0.0/16'), holder: 'network "one"' },
    { subnet: subnet('fd12:3456:789a::/64'), holder: 'network "one"' },
  ],
  host: [subnet('172.17.0.0/16')],
  defaults,
};

test('formatAddress() and parseAddress() undo each other', () => {
  fc.assert(fc.property(address, (one) => assert.deepEqual(parseAddress(formatAddress(one)), one)));
  assert.deepEqual(parseAddress('::ffff:10.0.0.1'), { family: 4, value: 0x0a000001n });
  assert.equal(parseAddress('fe80::1%eth0'), undefined);
});

test('overlaps() is what comparing ranges says', () => {
  const any = fc
    .tuple(address, fc.integer({ min: 0, max: 32 }))
    .map(([one, length]) => subnetOf(one, one.family === 4 ? length : length * 4));
  fc.assert(
    fc.property(any, any, (a, b) => {
      const same = a.family === b.family && a.base <= lastOf(b) && b.base <= lastOf(a);
      assert.equal(overlaps(a, b), same);
      assert.deepEqual(parseCidr(formatSubnet(a))?.subnet, a);
    }),
  );
});

test('choosePool() takes the first subnet of the pools that nothing uses', () => {
  const choose = (...inUse: readonly string[]) => formatSubnet(choosePool(defaults, 4, inUse.map(subnet)));
  assert.equal(choose(), '172.17.0.0/16');
  assert.equal(choose('172.17.5.0/24', '172.18.0.0/15'), '172.20.0.0/16');
  assert.equal(choose('172.16.0.0/12'), '192.168.0.0/20');
  assert.equal(choose('172.16.0.0/12', '192.168.1.0/24', '192.168.16.0/21'), '192.168.32.0/20');
  // Where Docker's 31 networks end, 256 small ones follow.
  assert.equal(choose('172.16.0.0/12', '192.168.0.0/16'), '10.201.0.0/24');
  assert.equal(choose('172.16.0.0/12', '192.168.0.0/16', '10.201.0.0/17'), '10.201.128.0/24');
  assert.throws(() => choose('0.0.0.0/0'), { kind: 'invalid-argument', message: /have been fully subnetted/ });
  assert.equal(formatSubnet(choosePool(defaults, 6, [subnet('fd12:3456:789a::/64')])), 'fd12:3456:789a:1::/64');
});

test('choosePool() never collides, whatever is in use', () => {
  const pools = poolsToSplit([{ base: '10.0.0.0/20', size: 24 }], ULA);
  const used = fc
    .tuple(fc.nat({ max: 4095 }), fc.integer({ min: 20, max: 32 }))
    .map(([offset, length]) => subnetOf({ family: 4, value: 0x0a000000n + BigInt(offset) }, length));
  fc.assert(
    fc.property(fc.array(used, { maxLength: 12 }), (inUse) => {
      try {
        const chosen = choosePool(pools, 4, inUse);
        assert.ok(!inUse.some((other) => overlaps(other, chosen)));
      } catch {
        for (let at = 0; at < 16; at++) assert.ok(inUse.some((other) => overlaps(other, subnet(`10.0.${at}.0/24`))));
      }
    }),
  );
});

test('poolsToSplit() keeps the usual pools of a family that is not named, and refuses what cannot be cut', () => {
  assert.equal(formatSubnet(choosePool(poolsToSplit([{ base: '10.9.0.0/16', size: 24 }], ULA), 4, [])), '10.9.0.0/24');
  assert.equal(
    formatSubnet(choosePool(poolsToSplit([{ base: '10.9.0.0/16', size: 24 }], ULA), 6, [])),
    'fd12:3456:789a::/64',
  );
  assert.throws(() => poolsToSplit([{ base: '10.9.0.0/16', size: 8 }], ULA), /cannot be cut/);
  assert.throws(() => poolsToSplit([{ base: '10.9.0.1/16', size: 24 }], ULA), /not in canonical form/);
});

const network = (ipv4: string, more: { gateway?: string; reserved?: string[]; ipRange?: string } = {}) => ({
  ipv4: [{ subnet: ipv4, gateway: '', reserved: [], ...more }],
  ipv6: [{ subnet: 'fd00:1::/64', gateway: 'fd00:1::1', reserved: [] }],
});

test('NetworkAddresses gives the lowest free address of each family, and none twice', () => {
  const pool = new NetworkAddresses(network('10.0.0.0/29', { gateway: '10.0.0.1', reserved: ['10.0.0.3'] }));
  const take = (asked = '') => pool.take(4, asked)?.address;
  assert.deepEqual([take(), take()], ['10.0.0.2', '10.0.0.4']);
  assert.deepEqual(pool.take(6, ''), { address: 'fd00:1::2', prefixLength: 64, gateway: 'fd00:1::1' });
  take('10.0.0.5');
  assert.throws(() => take('10.0.0.5'), { message: 'Address already in use' });
  assert.throws(() => take('10.0.1.5'), { kind: 'invalid-argument' });
  assert.equal(take(), '10.0.0.6');
  assert.throws(() => take(), { kind: 'resource-exhausted', message: /no available IPv4 addresses.*10\.0\.0\.0\/29/ });
  pool.release('10.0.0.2');
  pool.release('10.0.0.2');
  assert.equal(take(), '10.0.0.2');
});

test('NetworkAddresses leaves addresses to those who asked for them', () => {
  const pool = new NetworkAddresses(network('10.0.0.0/29'));
  const avoid = new Set([0x0a000001n, 0x0a000002n]);
  assert.equal(pool.take(4, '', avoid)?.address, '10.0.0.3');
  assert.equal(pool.take(4, '10.0.0.2', avoid)?.address, '10.0.0.2');
  assert.equal(pool.take(4, '', new Set())?.address, '10.0.0.1');
});

test('NetworkAddresses never gives an address out that somebody has', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant('take'), fc.nat({ max: 30 })), { maxLength: 80 }), (steps) => {
      const pool = new NetworkAddresses(network('10.0.0.0/27', { gateway: '10.0.0.1' }));
      const held: string[] = [];
      for (const step of steps) {
        if (step !== 'take') {
          const released = held.splice(Number(step) % Math.max(held.length, 1), 1)[0];
          if (released !== undefined) pool.release(released);
        } else if (held.length < 29) {
          const taken = pool.take(4, '')?.address ?? assert.fail();
          assert.ok(!held.includes(taken) && !['10.0.0.0', '10.0.0.1', '10.0.0.31'].includes(taken));
          held.push(taken);
        }
      }
    }),
  );
});

test('NetworkAddresses counts what is in use and what is left', () => {
  const pool = new NetworkAddresses(network('10.0.0.0/24', { gateway: '10.0.0.1', ipRange: '10.0.0.128/28' }));
  pool.take(4, '');
  const [ipv4, ipv6] = pool.status();
  assert.deepEqual(ipv4, { subnet: '10.0.0.0/24', inUse: 4n, available: 15n });
  assert.deepEqual(ipv6, { subnet: 'fd00:1::/64', inUse: 2n, available: (1n << 64n) - 2n });
});

test('checkCreateRequest() refuses in the words of Docker', () => {
  const refuse = (request: Parameters<typeof checkCreateRequest>[0], message: RegExp): void => {
    assert.throws(() => checkCreateRequest({ Name: 'x', ...request }), { message });
  };
  const config = (...Config: readonly object[]) => ({ IPAM: { Config } });
  refuse({ Name: 'bridge' }, /^operation is not permitted on predefined bridge network $/);
  refuse({ Driver: 'weave' }, /plugin "weave" not found/);
  refuse({ Driver: 'overlay' }, /not a swarm manager/);
  refuse({ Ingress: true }, /Ingress network can only be global scope network/);
  refuse({ EnableIPv4: false }, /IPv4 or IPv6 must be enabled/);
  refuse(config({ Subnet: '10.0.0.1/24' }), /invalid subnet 10\.0\.0\.1\/24: it should be 10\.0\.0\.0\/24/);
  refuse(config({ Subnet: 'fd00::1/64' }), /invalid subnet fd00::1\/64: it should be fd00::\/64/);
  refuse(
    config({ Subnet: '10.0.0.0/24', Gateway: '10.0.1.1' }),
    /invalid gateway 10\.0\.1\.1: parent subnet 10\.0\.0\.0\/24 doesn't contain this address/,
  );
  refuse(config({ Subnet: '10.0.0.0/24', IPRange: 'fd00::/96' }), /parent subnet is an IPv4 block/);
  refuse(config({ Subnet: '10.0.0.0/24', IPRange: '10.0.0.0/16' }), /CIDR block is bigger than its parent subnet/);
  refuse(
    config({ Subnet: '10.0.0.0/24' }, { Subnet: '10.0.1.0/24' }),
    /bridge driver doesn't support multiple subnets/,
  );
  checkCreateRequest({ Name: 'x', Driver: 'macvlan', ...config({ Subnet: '10.0.0.0/24' }, { Subnet: '10.0.1.0/24' }) });
});

test('familiesOf() gives both families unless it is said otherwise, or the client lays out subnets itself', () => {
  const families = (request: Parameters<typeof familiesOf>[0], byDefault = true) => {
    const { ipv4, ipv6 } = familiesOf({ Name: 'x', ...request }, byDefault);
    return `${ipv4 ? '4' : ''}${ipv6 ? '6' : ''}`;
  };
  const v4 = { IPAM: { Config: [{ Subnet: '10.0.0.0/24' }] } };
  const v6 = { IPAM: { Config: [{ Subnet: 'fd00::/64' }] } };
  assert.equal(families({}), '46');
  assert.equal(families({}, false), '4');
  assert.equal(families({ EnableIPv6: false }), '4');
  assert.equal(families({ EnableIPv6: true }, false), '46');
  assert.equal(families({ EnableIPv4: false, EnableIPv6: true }), '6');
  assert.equal(families(v4), '4');
  assert.equal(families({ ...v4, EnableIPv6: true }), '46');
  assert.equal(families(v6, false), '46');
});

test('withDefaults() fills in what the daemon says and leaves what the client says', () => {
  const bridge = { 'com.docker.network.driver.mtu': '1400', 'com.docker.network.enable_ipv6': 'false' };
  const request = withDefaults({ Name: 'x', Options: { 'com.docker.network.driver.mtu': '1300' } }, { bridge });
  assert.equal(request.Options?.['com.docker.network.driver.mtu'], '1300');
  assert.equal(request.EnableIPv6, false);
  assert.equal(withDefaults({ Name: 'x', EnableIPv6: true }, { bridge }).EnableIPv6, true);
});

test('poolsOf() chooses what is free, takes what is asked for, and names who has it', () => {
  const of = (Config: readonly object[], family: 4 | 6 = 4) => poolsOf({ Config }, { family, gateway: true, facts });
  assert.deepEqual(of([]), [{ subnet: '172.18.0.0/16', gateway: '172.18.0.1', reserved: [] }]);
  assert.deepEqual(of([], 6), [{ subnet: 'fd12:3456:789a:1::/64', gateway: 'fd12:3456:789a:1::1', reserved: [] }]);
  assert.equal(of([{ Subnet: '172.17.0.0/16' }])[0]?.subnet, '172.17.0.0/16');
  assert.equal(of([{ Subnet: '10.44.0.0/24', IPRange: '10.44.0.128/25' }])[0]?.gateway, '10.44.0.128');
  const auxiliary = { router: '10.44.0.9', DefaultGatewayIPv4: '10.44.0.254' };
  assert.deepEqual(of([{ Subnet: '10.44.0.0/24', AuxiliaryAddresses: auxiliary }])[0], {
    subnet: '10.44.0.0/24',
    gateway: '10.44.0.1',
    containerGateway: '10.44.0.254',
    reserved: ['10.44.0.9', '10.44.0.254'],
  });
  assert.throws(() => of([{ Subnet: '10.1.2.0/24' }]), {
    kind: 'permission-denied',
    message:
      'invalid pool request: Pool overlaps with other one on this address space: 10.1.2.0/24 overlaps with 10.1.0.0/16 of network "one"',
  });
  assert.deepEqual(poolsOf({}, { family: 4, gateway: false, facts })[0]?.gateway, '');
});

test('shownIpam() shows what was asked for with what was chosen', () => {
  const pools = { ipv4: poolsOf({}, { family: 4, gateway: true, facts }), ipv6: [] };
  assert.deepEqual(shownIpam(undefined, pools).Config, [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }]);
});

test('bridgeSettings() reads the options of Docker', () => {
  const of = (options: Readonly<Record<string, string>>, internal = false) =>
    bridgeSettings(options, { id: 'abcdef0123456789', uplinkMtu: 1400, mtu: 0, internal });
  const bridge = 'com.docker.network.bridge.';
  assert.deepEqual([of({}).name, of({}).mtu, of({}).mtuFollows], ['br-abcdef012345', 1400, true]);
  assert.equal(of({ 'com.docker.network.driver.mtu': '1300' }).mtuFollows, undefined);
  assert.deepEqual(of({ [`${bridge}trusted_host_interfaces`]: 'eth0:wg0' }).trustedInterfaces, ['eth0', 'wg0']);
  assert.equal(of({ [`${bridge}gateway_mode_ipv6`]: 'routed' }).gatewayMode6, 'routed');
  assert.throws(() => of({ [`${bridge}gateway_mode_ipv4`]: 'isolated' }), /only be used for an internal network/);
  assert.equal(of({ [`${bridge}gateway_mode_ipv4`]: 'isolated' }, true).gatewayMode4, 'isolated');
  assert.throws(() => of({ [`${bridge}gateway_mode_ipv4`]: 'bogus' }), /unknown gateway mode bogus/);
  assert.throws(() => of({ [`${bridge}enable_icc`]: 'maybe' }), /failed to parse .*enable_icc value: maybe/);
  assert.throws(() => of({ [`${bridge}name`]: 'much-too-long-a-name' }), /invalid bridge name/);
});

test('parentSettings() reads the options of macvlan and ipvlan, and a parent in passthru mode is for one network', () => {
  const of = (driver: 'macvlan' | 'ipvlan', options: Readonly<Record<string, string>>) =>
    parentSettings(driver, options, { id: 'abcdef0123456789', mtuOf: () => 1450 });
  const { name, mode, made, mtu } = of('macvlan', { parent: 'eth0' });
  assert.deepEqual({ name, mode, made, mtu }, { name: 'eth0', mode: 'bridge', made: false, mtu: 1450 });
  assert.deepEqual(of('macvlan', {}).name, 'dm-abcdef012345');
  assert.throws(() => of('macvlan', { macvlan_mode: 'l2' }), /requested macvlan mode 'l2' is not valid/);
  assert.throws(() => of('ipvlan', { ipvlan_flag: 'x' }), /requested ipvlan flag 'x' is not valid/);
  assert.throws(() => of('ipvlan', { parent: 'lo' }), /loopback interface is not a valid ipvlan parent link/);
  const other = { ...upgraded({ id: 'n1', ipv4: [] } as never), parent: of('macvlan', { parent: 'eth0' }) };
  sharedParent(of('macvlan', { parent: 'eth0' }), [other]);
  assert.throws(
    () => sharedParent(of('macvlan', { parent: 'eth0', macvlan_mode: 'passthru' }), [other]),
    /cannot use mode passthru, macvlan network n1 is already using parent interface eth0/,
  );
});

test('parseEndpointSysctl() takes switches of one link', () => {
  assert.deepEqual(parseEndpointSysctl('net.ipv4.conf.IFNAME.log_martians=1'), {
    path: 'net/ipv4/conf/IFNAME/log_martians',
    value: '1',
  });
  for (const bad of ['net.ipv4.conf.eth0.log_martians=1', 'kernel.x.y.IFNAME.z=1', 'net.ipv4.conf.IFNAME.a/../b=1', ''])
    assert.equal(parseEndpointSysctl(bad), undefined, bad);
});

test('upgraded() reads what the first releases kept', () => {
  const bridge = { name: 'br-1', subnet: '10.5.0.0/24', gateway: '10.5.0.1', reserved: ['10.5.0.9'], mtu: 1500 };
  const kept = upgraded({ id: 'x', name: 'old', bridge } as never);
  assert.deepEqual(kept.ipv4, [{ subnet: '10.5.0.0/24', gateway: '10.5.0.1', reserved: ['10.5.0.9'] }]);
  assert.deepEqual([kept.ipv6, kept.bridge?.name, kept.bridge?.gatewayMode4], [[], 'br-1', 'nat']);
});

test('parseNetworkMode() reads the modes of Docker', () => {
  assert.deepEqual(parseNetworkMode(undefined), { kind: 'network', name: 'bridge' });
  assert.deepEqual(parseNetworkMode('default'), { kind: 'network', name: 'bridge' });
  assert.deepEqual(parseNetworkMode('container:abc'), { kind: 'container', container: 'abc' });
  assert.equal(macOf('172.17.0.2'), '02:42:ac:11:00:02');
  assert.equal(macOf('fd00::1:2'), '02:42:00:01:00:02');
});
