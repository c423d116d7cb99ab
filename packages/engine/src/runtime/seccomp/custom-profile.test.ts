import assert from 'node:assert/strict';
import test from 'node:test';
import { customSeccompProfile } from './custom-profile.ts';

const facts = { capabilities: ['CAP_CHOWN'], architecture: 'x64', kernelRelease: '6.18.1-x' };

test('customSeccompProfile() keeps the rules whose conditions hold', () => {
  const allow = (name: string, conditions: object) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: [],
    ...conditions,
  });
  const profile = customSeccompProfile(
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      syscalls: [
        allow('read', {}),
        allow('chown', { includes: { caps: ['CAP_CHOWN'] } }),
        allow('mount', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
        allow('clone', { excludes: { caps: ['CAP_CHOWN'] } }),
        allow('arch_prctl', { includes: { arches: ['amd64', 'x32'] } }),
        allow('cacheflush', { includes: { arches: ['arm64'] } }),
        allow('ptrace', { includes: { minKernel: '4.8' } }),
        allow('future', { includes: { minKernel: '9.0' } }),
      ],
    }),
    facts,
  );
  assert.deepEqual(
    profile.syscalls?.flatMap(({ names }) => names),
    ['read', 'chown', 'arch_prctl', 'ptrace'],
  );
  assert.deepEqual(profile.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
  assert.equal(profile.defaultErrnoRet, 1);
});

test('customSeccompProfile() takes the old form with one name a rule', () => {
  const text = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO"}]}';
  assert.deepEqual(customSeccompProfile(text, facts).syscalls, [{ names: ['chmod'], action: 'SCMP_ACT_ERRNO' }]);
});

test('customSeccompProfile() refuses what is no profile', () => {
  for (const text of [
    'nonsense',
    '[]',
    '{"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}',
  ]) {
    assert.throws(() => customSeccompProfile(text, facts), {
      kind: 'invalid-argument',
      message: /^Decoding seccomp profile failed: /,
    });
  }
});
