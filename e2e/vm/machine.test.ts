import { after, before, suite } from 'node:test';
import { loadBusybox } from '../lib/images.ts';
import { appArmorTests } from './apparmor.ts';
import { serviceIsUp, VirtualMachine } from './machine.ts';
import { networkTests } from './networks.ts';
import { nfsTests } from './nfs.ts';
import { quotaTests } from './quota.ts';
import { serviceTests } from './service.ts';

// One machine for all that needs a kernel of its own: to boot one takes longer than most of what is tried in it.
const SET_UP_DEADLINE_MS = 480_000;
let vm: VirtualMachine;
const booted = () => vm;

before(
  async () => {
    vm = await VirtualMachine.boot();
    await serviceIsUp(vm);
    await loadBusybox(vm.host);
  },
  { timeout: SET_UP_DEADLINE_MS },
);
after(async () => {
  await vm?.[Symbol.asyncDispose]();
});

suite('as a service, on cgroup v2', () => serviceTests(booted));
suite('networks on links of the machine', () => networkTests(booted));
suite('AppArmor', () => appArmorTests(booted));
suite('NFS', () => nfsTests(booted));
suite('quotas', () => quotaTests(booted));
