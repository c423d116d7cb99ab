import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import fc from 'fast-check';
import { parseJson } from '../json.ts';
import {
  decodeAuthConfig,
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeVolumeCreate,
} from './decode.ts';

test('decodeContainerCreate() reads keys in any case, drops unknown ones and null', () => {
  const decoded = decodeContainerCreate({
    image: 'busybox',
    CMD: ['a'],
    Env: null,
    Nonsense: 1,
    hostconfig: { memory: 5, Binds: null, MaskedPaths: [], RestartPolicy: { name: 'always' }, LogConfig: {} },
    NetworkingConfig: { EndpointsConfig: { bridge: null, other: { ipamconfig: { IPv4Address: '10.0.0.2' } } } },
  });
  assert.deepEqual(decoded, {
    config: { Image: 'busybox', Cmd: ['a'] },
    hostConfig: { Memory: 5, MaskedPaths: [], RestartPolicy: { Name: 'always' }, LogConfig: { Type: '' } },
    networkingConfig: { EndpointsConfig: { bridge: {}, other: { IPAMConfig: { IPv4Address: '10.0.0.2' } } } },
  });
  assert.deepEqual(decodeContainerCreate(undefined), { config: {}, hostConfig: {}, networkingConfig: undefined });
});

test('decodeContainerCreate() takes a string where Docker has strslice', () => {
  const { config, hostConfig } = decodeContainerCreate({ Cmd: 'ls -l', Entrypoint: '', HostConfig: { CapAdd: 'ALL' } });
  assert.deepEqual(config, { Cmd: ['ls -l'], Entrypoint: [''] });
  assert.deepEqual(hostConfig, { CapAdd: ['ALL'] });
});

test('decodeContainerCreate() puts ports into their normal form', () => {
  const { config, hostConfig } = decodeContainerCreate({
    ExposedPorts: { '80': {}, '53/UDP': null, '1-3/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }, null], '81/tcp': null } },
  });
  assert.deepEqual(config.ExposedPorts, { '80/tcp': {}, '53/udp': {}, '1-3/tcp': {} });
  assert.deepEqual(hostConfig.PortBindings, {
    '80/tcp': [
      { HostIp: '', HostPort: '8080' },
      { HostIp: '', HostPort: '' },
    ],
    '81/tcp': [],
  });
  for (const port of ['x', '70000', '80/icmp', '5-1/tcp', '']) {
    assert.throws(() => decodeContainerCreate({ ExposedPorts: { [port]: {} } }), { kind: 'invalid-argument' });
  }
});

test('decoders refuse wrong types in the words of Go', () => {
  const refusal = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      assert.ok(error instanceof WharfError && error.kind === 'invalid-argument');
      return error.message;
    }
    assert.fail('accepted');
  };
  const prefix = 'invalid JSON: json: cannot unmarshal';
  assert.equal(
    refusal(() => decodeContainerCreate({ HostConfig: { Memory: '1g' } })),
    `${prefix} string into Go struct field CreateRequest.HostConfig.Memory of type int64`,
  );
  assert.equal(
    refusal(() => decodeContainerCreate({ Cmd: 5 })),
    `${prefix} number 5 into Go struct field CreateRequest.Cmd of type []string`,
  );
  assert.equal(
    refusal(() => decodeExecStart({ Detach: 'yes' })),
    `${prefix} string into Go struct field ExecStartRequest.Detach of type bool`,
  );
  assert.equal(
    refusal(() => decodeContainerUpdate([])),
    `${prefix} array into Go value of type UpdateConfig`,
  );
  assert.match(
    refusal(() => decodeContainerUpdate({ Memory: 1.5 })),
    /number 1\.5 into .*Memory of type int64/,
  );
  assert.match(
    refusal(() => decodeContainerUpdate({ BlkioWeight: 70_000 })),
    /of type uint16/,
  );
  assert.match(
    refusal(() => decodeContainerUpdate({ Memory: 2n ** 63n })),
    /of type int64/,
  );
});

test('decoders keep int64 within what Go can read back', () => {
  const { Memory } = decodeContainerUpdate(parseJson('{"Memory":9223372036854775807}'));
  assert.ok(Memory !== undefined && BigInt(JSON.stringify(Memory)) < 2n ** 63n);
  assert.equal(decodeContainerUpdate({ MemorySwap: -1 }).MemorySwap, -1);
});

test('decoders of the small requests read their fields', () => {
  assert.deepEqual(decodeExecCreate({ cmd: ['a'], ConsoleSize: [24], Tty: true }), {
    Cmd: ['a'],
    ConsoleSize: [24, 0],
    Tty: true,
  });
  assert.deepEqual(
    decodeNetworkCreate({ Name: 'n', IPAM: { Config: [{ Subnet: '10.0.0.0/8' }, null] }, EnableIPv6: null }),
    {
      Name: 'n',
      IPAM: { Config: [{ Subnet: '10.0.0.0/8' }, {}] },
    },
  );
  assert.deepEqual(decodeNetworkConnect({ Container: 'c', EndpointConfig: { Aliases: ['x'] } }), {
    Container: 'c',
    EndpointConfig: { Aliases: ['x'] },
  });
  assert.deepEqual(decodeVolumeCreate({ name: 'v', Labels: { a: null } }), { Name: 'v', Labels: { a: '' } });
  assert.deepEqual(decodeAuthConfig({ Username: 'u', ServerAddress: 's' }), { username: 'u', serveraddress: 's' });
});

test('decoders take a key named __proto__ for a key', () => {
  const { config } = decodeContainerCreate(parseJson('{"Labels":{"__proto__":"x"},"__proto__":{"Image":"evil"}}'));
  assert.equal(config.Image, undefined);
  assert.ok(Object.hasOwn(config.Labels ?? {}, '__proto__'));
});

test('decodeContainerCreate() either decodes or refuses any JSON', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('HostConfig', 'Cmd', 'Env', 'Labels', 'Volumes', 'Tty'), fc.jsonValue()),
      (value) => {
        try {
          decodeContainerCreate(value);
        } catch (error) {
          assert.ok(error instanceof WharfError && error.kind === 'invalid-argument');
        }
      },
    ),
  );
});
