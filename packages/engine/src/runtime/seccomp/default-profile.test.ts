import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultSeccompProfile, type SeccompProfile } from './default-profile.ts';

function profile(capabilities: readonly string[], kernelRelease = '6.18.0'): SeccompProfile {
  return defaultSeccompProfile({ capabilities, architecture: 'x64', kernelRelease });
}

function allowedOutright(of: SeccompProfile): ReadonlySet<string> {
  return new Set(
    of.syscalls?.filter((rule) => rule.action === 'SCMP_ACT_ALLOW' && !rule.args).flatMap((rule) => rule.names),
  );
}

describe('defaultSeccompProfile()', () => {
  it('refuses by default and allows everyday calls', () => {
    const plain = profile([]);
    assert.equal(plain.defaultAction, 'SCMP_ACT_ERRNO');
    for (const name of ['read', 'openat', 'execve', 'futex', 'epoll_wait'])
      assert.ok(allowedOutright(plain).has(name), name);
    for (const name of ['mount', 'bpf', 'kexec_load', 'keyctl', 'userfaultfd', 'setns', 'reboot', 'init_module']) {
      assert.ok(!allowedOutright(plain).has(name), name);
    }
  });

  it('says EPERM of what it knows and refuses, ENOSYS of what is newer than it', () => {
    const plain = profile(['CAP_SYS_CHROOT']);
    assert.equal(plain.defaultErrnoRet, 38);
    const refused = plain.syscalls?.find((rule) => rule.errnoRet === 1 && !rule.args)?.names ?? [];
    for (const name of ['mount', 'bpf', 'kexec_load', 'keyctl', 'userfaultfd', 'io_uring_setup', 'setns']) {
      assert.ok(refused.includes(name), name);
    }
    const allowed = allowedOutright(plain);
    assert.deepEqual(
      refused.filter((name) => allowed.has(name)),
      [],
    );
    assert.ok(allowed.has('chroot'));
  });

  it('opens what a capability stands for', () => {
    assert.ok(allowedOutright(profile(['CAP_SYS_ADMIN'])).has('mount'));
    assert.ok(allowedOutright(profile(['CAP_SYS_TIME'])).has('clock_settime'));
    assert.ok(!allowedOutright(profile(['CAP_SYS_TIME'])).has('mount'));
  });

  it('keeps new namespaces from containers without CAP_SYS_ADMIN', () => {
    const rules = profile([]).syscalls ?? [];
    assert.equal(rules.find((rule) => rule.names.includes('clone'))?.args?.[0]?.op, 'SCMP_CMP_MASKED_EQ');
    assert.equal(rules.find((rule) => rule.names.includes('clone3'))?.errnoRet, 38);
  });

  it('allows ptrace only where the kernel makes it safe', () => {
    assert.ok(allowedOutright(profile([])).has('ptrace'));
    assert.ok(!allowedOutright(profile([], '4.7.0')).has('ptrace'));
    assert.ok(allowedOutright(profile(['CAP_SYS_PTRACE'], '4.7.0')).has('ptrace'));
  });

  it('keeps AF_ALG and AF_VSOCK sockets out', () => {
    const rules = (profile([]).syscalls ?? []).filter((rule) => rule.names.includes('socket'));
    const passes = (family: number) =>
      rules.some(
        (rule) =>
          rule.action === 'SCMP_ACT_ALLOW' &&
          rule.args?.every(({ value, op }) =>
            op === 'SCMP_CMP_LT' ? family < value : op === 'SCMP_CMP_GT' ? family > value : family === value,
          ),
      );
    assert.deepEqual([1, 2, 10, 16, 17, 38, 39, 40, 44].filter(passes), [1, 2, 10, 16, 17, 39, 44]);
  });
});
