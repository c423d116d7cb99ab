import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountLabel, processLabels, shownProfile } from './labels.ts';
import { parseSecurityOptions } from './security-options.ts';

const options = parseSecurityOptions(['apparmor=mine', 'label=type:web_t', 'label=level:s0:c1,c2']);
const none = { appArmor: false, seLinux: false };

test('processLabels() passes on what was asked for where the kernel has the module', () => {
  assert.deepEqual(processLabels(options, { appArmor: true, seLinux: false }), { apparmorProfile: 'mine' });
  assert.deepEqual(processLabels(options, { appArmor: false, seLinux: true }), {
    selinuxLabel: 'system_u:system_r:web_t:s0:c1,c2',
  });
  assert.deepEqual(mountLabel(options, { appArmor: false, seLinux: true }), {
    mountLabel: 'system_u:object_r:container_file_t:s0:c1,c2',
  });
  assert.deepEqual([processLabels(options, none), mountLabel(options, none)], [{}, {}]);
});

test('processLabels() gives nothing that was not asked for', () => {
  const both = { appArmor: true, seLinux: true };
  assert.deepEqual(processLabels(parseSecurityOptions([]), both), {});
  const ours = { ...both, defaultProfile: 'ours' };
  assert.deepEqual(processLabels(parseSecurityOptions([]), ours), { apparmorProfile: 'ours' });
  assert.deepEqual(processLabels(options, { ...ours, seLinux: false }), { apparmorProfile: 'mine' });
  assert.deepEqual(processLabels(parseSecurityOptions(['label=disable', 'label=type:x']), both), {});
  assert.deepEqual(processLabels(parseSecurityOptions(['apparmor=unconfined']), both), {
    apparmorProfile: 'unconfined',
  });
});

test('shownProfile() names what a container has', () => {
  const ours = { appArmor: true, defaultProfile: 'ours', seLinux: false };
  assert.equal(shownProfile({ appArmor: '' }, false, ours), 'ours');
  assert.equal(shownProfile({ appArmor: 'mine' }, false, ours), 'mine');
  assert.equal(shownProfile({ appArmor: 'mine' }, true, ours), 'unconfined');
  assert.equal(shownProfile({ appArmor: '' }, false, { appArmor: true, seLinux: false }), 'unconfined');
  assert.equal(shownProfile({ appArmor: 'mine' }, false, none), '');
});
