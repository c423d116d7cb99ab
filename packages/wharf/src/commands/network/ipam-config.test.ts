import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpamFlags, ipamConfig } from './ipam-config.ts';

const flags = (more: Partial<IpamFlags>): IpamFlags => ({
  subnets: [],
  ranges: [],
  gateways: [],
  auxiliary: {},
  ...more,
});

test('ipamConfig() puts each address to its subnet', () => {
  assert.deepEqual(ipamConfig(flags({})), []);
  assert.deepEqual(
    ipamConfig(
      flags({
        subnets: ['10.1.0.0/16', 'fd00::/64'],
        ranges: ['10.1.2.0/24'],
        gateways: ['fd00::1', '10.1.0.1'],
        auxiliary: { router: '10.1.0.9' },
      }),
    ),
    [
      {
        Subnet: '10.1.0.0/16',
        IPRange: '10.1.2.0/24',
        Gateway: '10.1.0.1',
        AuxiliaryAddresses: { router: '10.1.0.9' },
      },
      { Subnet: 'fd00::/64', Gateway: 'fd00::1' },
    ],
  );
});

test("ipamConfig() refuses in docker's words", () => {
  const cases: readonly (readonly [Partial<IpamFlags>, string])[] = [
    [{ gateways: ['10.0.0.1'] }, 'every ip-range or gateway must have a corresponding subnet'],
    [{ subnets: ['10.0.0.0/8', '10.1.0.0/16'] }, 'multiple overlapping subnet configuration is not supported'],
    [{ subnets: ['10.0.0.0/24'], ranges: ['10.1.0.0/24'] }, 'no matching subnet for range 10.1.0.0/24'],
    [{ subnets: ['10.0.0.0/24'], ranges: ['x'] }, 'invalid CIDR address: x'],
    [{ subnets: ['10.0.0.0/24'], gateways: ['10.1.0.1'] }, 'no matching subnet for gateway 10.1.0.1'],
    [{ subnets: ['bad'], gateways: ['10.1.0.1'] }, 'invalid subnet: invalid CIDR address: bad'],
    [{ subnets: ['10.0.0.0/24'], auxiliary: { a: '10.1.0.1' } }, 'no matching subnet for aux-address 10.1.0.1'],
    [
      { subnets: ['10.0.0.0/24', '10.1.0.0/24'], gateways: ['10.0.0.1', '10.0.0.2'] },
      'cannot configure multiple gateways (10.0.0.2, 10.0.0.1) for the same subnet (10.0.0.0/24)',
    ],
  ];
  for (const [given, message] of cases) assert.throws(() => ipamConfig(flags(given)), { message });
});
