import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { customSeccompProfile } from './custom-profile.ts';

const FACTS = { capabilities: ['CAP_SYS_ADMIN'], architecture: 'x64', kernelRelease: '6.1.0-49' };

function namesIn(profile: object, facts = FACTS): readonly string[] {
  const converted = customSeccompProfile(JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', ...profile }), facts);
  return converted?.syscalls?.flatMap(({ names }) => names) ?? [];
}

describe('customSeccompProfile()', () => {
  it('takes the architectures of this machine from archMap', () => {
    const archMap = [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    ];
    const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', archMap });
    assert.deepEqual(customSeccompProfile(text, FACTS), {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [],
    });
  });

  it('keeps the rules whose conditions hold', () => {
    const rule = (name: string, conditions: object) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...conditions });
    const syscalls = [
      rule('plain', {}),
      rule('has-cap', { includes: { caps: ['CAP_SYS_ADMIN'] } }),
      rule('lacks-cap', { includes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }),
      rule('not-with-cap', { excludes: { caps: ['CAP_BPF', 'CAP_SYS_ADMIN'] } }),
      rule('this-machine', { includes: { arches: ['amd64', 'x32'] } }),
      rule('other-machine', { includes: { arches: ['arm64'] } }),
      rule('not-this-machine', { excludes: { arches: ['amd64'] } }),
      rule('old-kernel', { includes: { minKernel: '4.8' } }),
      rule('new-kernel', { includes: { minKernel: '6.2' } }),
      rule('gone-since', { excludes: { minKernel: '5.0' } }),
    ];
    assert.deepEqual(namesIn({ syscalls }), ['plain', 'has-cap', 'this-machine', 'old-kernel']);
  });

  it('turns `name` into `names` and drops what the OCI form does not know', () => {
    const syscalls = [{ name: 'chown', action: 'SCMP_ACT_ERRNO', args: null, comment: 'why', errnoRet: 5 }];
    const text = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1, syscalls });
    assert.deepEqual(customSeccompProfile(text, FACTS), {
      defaultAction: 'SCMP_ACT_ALLOW',
      defaultErrnoRet: 1,
      syscalls: [{ names: ['chown'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 }],
    });
  });

  it('takes an empty profile for none', () => {
    assert.equal(customSeccompProfile('{}', FACTS), undefined);
  });

  it('refuses what contradicts itself', () => {
    const both = { name: 'a', names: ['b'], action: 'SCMP_ACT_ALLOW' };
    assert.throws(() => namesIn({ syscalls: [both] }), /both 'name' and 'names' are specified/);
    const map = { architectures: ['SCMP_ARCH_ARM'], archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] };
    assert.throws(() => namesIn(map), /both 'architectures' and 'archMap' are specified/);
    assert.throws(() => customSeccompProfile('{', FACTS), /^WharfError: Decoding seccomp profile failed/);
  });
});
