import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSysctls } from './sysctls.ts';

const all = { network: true, ipc: true, uts: true };
const none = { network: false, ipc: false, uts: false };

test('checkSysctls() lets through what is namespaced', () => {
  const names = [
    'net.core.somaxconn',
    'net/ipv4/ip_forward',
    'kernel.shmmax',
    'fs.mqueue.msg_max',
    'kernel.domainname',
  ];
  for (const name of names) checkSysctls({ [name]: '1' }, all);
});

test('checkSysctls() refuses what would change the host', () => {
  for (const [name, own, words] of [
    ['vm.swappiness', all, 'is not in a separate kernel namespace'],
    ['kernel.core_pattern', all, 'is not in a separate kernel namespace'],
    ['kernel/core_pattern', all, 'is not in a separate kernel namespace'],
    ['kernel.hostname', all, 'is not allowed as it conflicts with the OCI "hostname" field'],
    ['net.core.somaxconn', none, 'not allowed in host network namespace'],
    ['kernel.shmmax', none, 'is not allowed in the hosts ipc namespace'],
    ['fs.mqueue.msg_max', none, 'is not allowed in the hosts ipc namespace'],
    ['kernel.domainname', none, 'is not allowed in the hosts uts namespace'],
  ] as const) {
    assert.throws(() => checkSysctls({ [name]: '1' }, own), { message: `sysctl "${name}" ${words}` });
  }
});
