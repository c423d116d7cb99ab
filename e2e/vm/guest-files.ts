import { ROOT } from '../../scripts/lib/root.ts';

/** Where the daemon's API and one published port are in the guest; the host reaches both through qemu. */
export const GUEST_API_PORT = 2375;
export const GUEST_PUBLISHED_PORT = 8080;

/**
 * The first process: loads what reading the disks needs, and hands over to systemd. It mounts the repository too, at the path it has on
 * the host, so that what was compiled there is found here; systemd would wait for udev to tell it of the disk.
 */
export const INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*.ko; do /bin/busybox insmod "$module"; done
/bin/busybox mount -t ext4 /dev/vda /root || /bin/busybox poweroff -f
/bin/busybox mount -t ext4 /dev/vdb /root${ROOT} || /bin/busybox poweroff -f
exec /bin/busybox switch_root /root /sbin/init
`;

/**
 * Runs what the host writes, one line of base64 at a time, on the second serial port: the answer is the status, a space and the output in
 * base64. It greets with READY after each boot.
 */
const AGENT = `#!/bin/bash
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo READY >&3
while IFS= read -r line <&3; do
  sh -c "$(base64 -d <<<"$line")" >/run/agent.out 2>&1 </dev/null
  printf '%s %s\\n' $? "$(base64 -w0 /run/agent.out)" >&3
done
`;

const AGENT_UNIT = `[Unit]
Description=Runs the commands of the test
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/usr/local/sbin/test-agent
# What it starts must outlive nothing and hurt nobody.
KillMode=control-group
[Install]
WantedBy=multi-user.target
`;

/** qemu's own network: 10.0.2.0/24 with the host at .2. */
const NETWORK_UNIT = `[Unit]
Description=The address of this machine
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/modprobe virtio_net
ExecStart=/bin/sh -c 'ip link set lo up; ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2'
[Install]
WantedBy=network-online.target
`;

const DAEMON_JSON = JSON.stringify({
  'shutdown-timeout': 5,
  hosts: ['unix:///run/wharf.sock', `tcp://0.0.0.0:${GUEST_API_PORT}`],
});

/** What makes a Debian tree the guest of these tests; modes are octal. */
export const GUEST_FILES: readonly { readonly path: string; readonly text: string; readonly mode: number }[] = [
  { path: '/usr/local/sbin/test-agent', text: AGENT, mode: 0o755 },
  { path: '/etc/systemd/system/test-agent.service', text: AGENT_UNIT, mode: 0o644 },
  { path: '/etc/systemd/system/test-network.service', text: NETWORK_UNIT, mode: 0o644 },
  { path: '/etc/fstab', text: '', mode: 0o644 },
  { path: '/etc/hostname', text: 'wharf-vm\n', mode: 0o644 },
  { path: '/etc/resolv.conf', text: 'nameserver 10.0.2.3\n', mode: 0o644 },
  { path: '/etc/wharf/daemon.json', text: DAEMON_JSON, mode: 0o644 },
];

/** Units of Debian that a test machine does without, each of which costs seconds without KVM. */
export const MASKED_UNITS = [
  'apparmor.service',
  'nfs-server.service',
  'nfs-client.target',
  'rpcbind.service',
  'rpcbind.socket',
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty.target',
  'systemd-random-seed.service',
  'systemd-update-utmp.service',
  'systemd-update-utmp-runlevel.service',
  'systemd-pstore.service',
  'systemd-logind.service',
  'systemd-journal-flush.service',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'dev-mqueue.mount',
  'modprobe@configfs.service',
  'modprobe@drm.service',
  'modprobe@efi_pstore.service',
  'modprobe@fuse.service',
];
