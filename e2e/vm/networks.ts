import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BUSYBOX } from '../lib/images.ts';
import type { VirtualMachine } from './machine.ts';

// Debian's kernel has VLANs and ipvlan; those of test machines often do not.
let machine: VirtualMachine;

async function prepare(): Promise<void> {
  // A second machine is a namespace behind a veth pair, on the same wire and in VLAN 10.
  await machine.ok('modprobe -a 8021q veth macvlan ipvlan');
  await machine.ok(
    'ip netns add world && ip link add up0 type veth peer name world0 && ip link set world0 netns world',
  );
  await machine.ok('ip link set up0 up && ip addr add 198.51.100.2/24 dev up0');
  for (const command of [
    'link set lo up',
    'link set world0 up',
    'addr add 198.51.100.1/24 dev world0',
    'link add link world0 name world0.10 type vlan id 10',
    'link set world0.10 up',
    'addr add 10.10.0.1/24 dev world0.10',
    'route add 10.11.0.0/24 via 198.51.100.2',
  ])
    await machine.ok(`ip -n world ${command}`);
}

const reaches = async (from: string, to: string) =>
  (await machine.docker(['exec', from, 'ping', '-c1', '-W2', to])).code === 0;

/** Two containers of a network, which are removed with it after `work`. */
async function inNetwork(options: readonly string[], work: (one: string, two: string) => Promise<void>): Promise<void> {
  await machine.dockerOk('network', 'create', ...options, 'tried');
  for (const name of ['one', 'two'])
    await machine.dockerOk('run', '-d', '--name', name, '--network', 'tried', BUSYBOX, 'sleep', '1000');
  await work('one', 'two');
  await machine.dockerOk('rm', '-f', 'one', 'two');
  await machine.dockerOk('network', 'rm', 'tried');
}

/** Networks on links of the machine. */
export function networkTests(booted: () => VirtualMachine): void {
  before(async () => {
    machine = booted();
    await prepare();
  });

  for (const driver of ['macvlan', 'ipvlan']) {
    test(`${driver} on a VLAN of a parent: the link is made and removed, and only that VLAN is reached`, async () => {
      const layout = ['--subnet', '10.10.0.0/24', '--gateway', '10.10.0.1', '-o', 'parent=up0.10'];
      await inNetwork(['-d', driver, ...layout], async (one, two) => {
        assert.match(await machine.ok('ip -d link show up0.10'), /vlan protocol 802\.1Q id 10/);
        assert.equal(await reaches(one, two), true);
        assert.equal(await reaches(one, '10.10.0.1'), true);
        assert.match(await machine.dockerOk('exec', one, 'ip', 'route'), /default via 10\.10\.0\.1 dev eth0/);
      });
      assert.doesNotMatch(await machine.ok('ip link'), /up0\.10/);
    });
  }

  test('ipvlan in layer 3 routes by its parent', async () => {
    await inNetwork(
      ['-d', 'ipvlan', '-o', 'ipvlan_mode=l3', '-o', 'parent=up0', '--subnet', '10.11.0.0/24'],
      async (one, two) => {
        assert.match(await machine.dockerOk('exec', one, 'ip', 'route'), /default dev eth0/);
        assert.equal(await reaches(one, two), true);
        assert.equal(await reaches(one, '198.51.100.1'), true);
      },
    );
  });
}
