import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findCommand } from '../scripts/lib/requirements.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-walls-e2e-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** The host's perl, which can make any system call, in a container that has none. */
const PERL = ['-v', '/usr:/usr:ro', '-v', '/usr/lib:/lib:ro', '-v', '/usr/lib64:/lib64:ro'];

const shell = (script: string, ...options: readonly string[]) =>
  daemon().ok('run', '--rm', '--network', 'none', ...options, BUSYBOX, 'sh', '-c', script);

/** Runs each line of shell in a default container and returns those that had their way. */
async function whatWorked(lines: readonly string[], ...options: readonly string[]): Promise<readonly string[]> {
  const script = lines.map((line, number) => `( ${line} ) >/dev/null 2>&1 && echo "worked ${number}"`).join('\n');
  const output = await shell(`${script}\ntrue`, ...options);
  return [...output.matchAll(/^worked (\d+)$/gm)].map(([, number]) => lines[Number(number)] ?? '');
}

test('a default container can change nothing of the kernel through proc and sys', async () => {
  const corePattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
  const attempts = [
    'echo h > /proc/sysrq-trigger',
    'echo "|/tmp/x" > /proc/sys/kernel/core_pattern',
    'echo x > /proc/sys/kernel/modprobe',
    'echo 1 > /proc/sys/vm/panic_on_oom',
    'echo 1 > /proc/sys/fs/protected_symlinks',
    'echo 0 > /proc/irq/0/smp_affinity',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'echo /tmp/x > /sys/kernel/uevent_helper',
    'echo mem > /sys/power/state',
    'mkdir /sys/fs/cgroup/memory/x || mkdir /sys/fs/cgroup/unified/x || { [ -e /sys/fs/cgroup/cgroup.procs ] && mkdir /sys/fs/cgroup/x; }',
    'echo /tmp/x > /sys/fs/cgroup/memory/release_agent',
    'head -c 1 /proc/kcore | grep .',
    'head -c 1 /proc/keys | grep .',
    'head -c 1 /proc/timer_list | grep .',
    'head -c 1 /proc/interrupts | grep .',
    'ls /proc/acpi | grep .',
    'ls /proc/scsi | grep .',
    'ls /sys/firmware | grep .',
    'ls /sys/devices/virtual/powercap | grep .',
    'dmesg',
    'echo -17 > /proc/1/oom_adj',
  ];
  assert.deepEqual(await whatWorked(attempts), []);
  assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), corePattern);
});

test('a default container can neither mount, unmask, nor leave its namespaces', async () => {
  const attempts = [
    'mount -t tmpfs none /mnt || mount -t tmpfs none /tmp',
    'mount -t proc none /tmp',
    'mount -o remount,rw /proc/sys',
    'mount -o remount,rw /sys',
    'mount -o bind /proc /tmp',
    'umount /proc/kcore',
    'umount /proc/sys',
    'umount -l /proc',
    'unshare -U true',
    'unshare -m true',
    'unshare -n true',
    'unshare -Ur mount -t tmpfs none /tmp',
    'nsenter -t 1 -m -p true',
    'hostname other',
    'ip link add x type dummy',
    'ip link set lo down',
    'ip addr add 1.2.3.4/32 dev lo',
    'reboot -f',
    'swapoff -a; swapon /dev/null',
    'insmod /bin/busybox',
    'renice -n -5 1',
  ];
  assert.deepEqual(await whatWorked(attempts), []);
});

test('a default container can make device files and open none but its own', async () => {
  const attempts = [
    'mknod /m c 1 1 && dd if=/m of=/dev/null bs=1 count=1',
    'mknod /k c 1 2 && dd if=/k of=/dev/null bs=1 count=1',
    'mknod /kmsg c 1 11 && dd if=/kmsg of=/dev/null bs=1 count=1',
    'mknod /tun c 10 200 && dd if=/tun of=/dev/null bs=1 count=1',
    'mknod /fuse c 10 229 && dd if=/fuse of=/dev/null bs=1 count=1',
    'mknod /tty0 c 4 0 && dd if=/tty0 of=/dev/null bs=1 count=1',
    ...['8 0', '7 0', '254 0', '253 0', '259 0', '1 0'].map(
      (numbers, at) => `mknod /d${at} b ${numbers} && dd if=/d${at} of=/dev/null bs=1 count=1`,
    ),
  ];
  assert.deepEqual(await whatWorked(attempts), []);
  assert.deepEqual(await whatWorked(['mknod /n c 1 3 && echo > /n', 'head -c 1 /dev/urandom']), [
    'mknod /n c 1 3 && echo > /n',
    'head -c 1 /dev/urandom',
  ]);
});

/** Numbers of x86-64 and arm64 (asm/unistd.h), with arguments that would reach the call's own checks. */
const CALLS: Readonly<Record<string, { readonly x64: number; readonly arm64: number }>> = {
  keyctl: { x64: 250, arm64: 219 },
  add_key: { x64: 248, arm64: 217 },
  request_key: { x64: 249, arm64: 218 },
  bpf: { x64: 321, arm64: 280 },
  perf_event_open: { x64: 298, arm64: 241 },
  kexec_load: { x64: 246, arm64: 104 },
  kexec_file_load: { x64: 320, arm64: 294 },
  init_module: { x64: 175, arm64: 105 },
  finit_module: { x64: 313, arm64: 273 },
  open_by_handle_at: { x64: 304, arm64: 265 },
  userfaultfd: { x64: 323, arm64: 282 },
  io_uring_setup: { x64: 425, arm64: 425 },
  fsopen: { x64: 430, arm64: 430 },
  open_tree: { x64: 428, arm64: 428 },
  move_mount: { x64: 429, arm64: 429 },
  mount_setattr: { x64: 442, arm64: 442 },
  setns: { x64: 308, arm64: 268 },
  pivot_root: { x64: 155, arm64: 41 },
  swapon: { x64: 167, arm64: 224 },
  quotactl: { x64: 179, arm64: 60 },
  settimeofday: { x64: 164, arm64: 170 },
  acct: { x64: 163, arm64: 89 },
  pidfd_getfd: { x64: 438, arm64: 438 },
  process_madvise: { x64: 440, arm64: 440 },
};

const machine = process.arch === 'arm64' ? 'arm64' : 'x64';

function perl(code: string, ...options: readonly string[]): Promise<string> {
  return daemon().ok('run', '--rm', '--network', 'none', ...PERL, ...options, BUSYBOX, '/usr/bin/perl', '-e', code);
}

test("the host's devices are given to no user of a container", async () => {
  const owner = () => statSync('/dev/null').uid;
  // Runtimes give a process's standard streams to its user; the descriptor of a device would let that user change its mode.
  const health = ['--health-cmd', 'true', '--health-interval', '1s'];
  const id = await daemon().ok('run', '-d', '-u', '33', ...health, '--network', 'none', BUSYBOX, 'sleep', '1000');
  const streams = 'for n in 0 1 2; do [ ! -c /proc/self/fd/$n ] || exit 1; done; cat';
  assert.equal((await daemon().docker(['exec', '-u', '34', id, 'sh', '-c', streams])).code, 0);
  await daemon().ok('exec', '-d', '-u', '35', id, 'sh', '-c', `(${streams}) && touch /tmp/free`);
  await daemon().ok('exec', '-t', '-u', '36', id, 'true');
  await eventually('a detached process reads to its end', async () => {
    return (await daemon().docker(['exec', id, 'test', '-e', '/tmp/free'])).code === 0;
  });
  await eventually('a probe has run', async () => {
    return (await daemon().ok('inspect', '-f', '{{.State.Health.Status}}', id)) === 'healthy';
  });
  const dockerfile = `FROM ${BUSYBOX}\nUSER 37\nRUN cat\n`;
  const built = await daemon().docker(['build', '-q', '-'], { input: dockerfile, env: { DOCKER_BUILDKIT: '0' } });
  assert.equal(built.code, 0, built.output);
  assert.equal(owner(), 0);
  await daemon().ok('rm', '-f', id);
});

test('the default seccomp profile: EPERM for what is refused, ENOSYS for what is newer than it', async () => {
  const names = Object.keys(CALLS);
  const numbers = names.map((name) => CALLS[name]?.[machine]);
  const code = `for my $n (${numbers.join(',')}, 1000) { $! = 0; my $r = syscall($n, -1, -1, -1, -1, -1); print $r, ":", $!+0, "\\n" }`;
  const [eperm, enosys] = ['-1:1', '-1:38'];
  assert.deepEqual((await perl(code)).split('\n'), [...names.map(() => eperm), enosys]);
  // With the filter away the kernel's own checks answer, and not all the same.
  const bare = (await perl(code, '--security-opt', 'seccomp=unconfined')).split('\n');
  assert.ok(bare.filter((line) => line !== eperm).length > 5, bare.join(' '));
  // A thread is no namespace; clone3, whose flags a filter cannot see, sends libc to clone.
  const clone = machine === 'x64' ? 56 : 220;
  const flags = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];
  const clones = `for my $f (${flags.join(',')}) { $! = 0; syscall(${clone}, $f | 17, 0, 0, 0, 0); print $!+0, " " } $! = 0; syscall(435, 0, 0); print $!+0;`;
  assert.equal(await perl(clones), '1 1 1 1 1 1 1 38');
  const sockets = 'use Socket; for my $f (1, 2, 16, 38, 40) { print socket(my $s, $f, 3, 0) ? "y" : $!+0, " " }';
  assert.match(await perl(sockets), /^y 93 y 1 1 $/);
});

test('--security-opt seccomp takes a file, and says what is wrong with one', async () => {
  const file = (name: string, text: string): string => {
    const path = join(scratch, name);
    writeFileSync(path, text);
    return path;
  };
  const rules = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 99 }];
  const own = file('own.json', JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules }));
  assert.deepEqual(await whatWorked(['mkdir /x', 'true'], '--security-opt', `seccomp=${own}`), ['true']);
  for (const [text, words] of [
    ['{', /seccomp profile .* failed: unexpected end of JSON/],
    ['[]', /Decoding seccomp profile failed/],
    [
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86'],
        archMap: [{ architecture: 'SCMP_ARCH_X86' }],
      }),
      /both 'architectures' and 'archMap'/,
    ],
    [JSON.stringify({ defaultAction: 'SCMP_ACT_PERHAPS' }), /SCMP_ACT_PERHAPS/],
  ] as const) {
    const bad = file('bad.json', text);
    const refused = await daemon().docker(['run', '--rm', '--security-opt', `seccomp=${bad}`, BUSYBOX, 'true']);
    assert.notEqual(refused.code, 0, text);
    assert.match(refused.stderr, words);
  }
});

test("capabilities: Docker's set, none ambient, and what --cap-add, --cap-drop and --user make of it", async () => {
  const sets = async (...options: readonly string[]) =>
    (await shell("grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status | tr -s '\\t\\n' ' '", ...options)).trim();
  const hex = (eff: string, bound = eff) =>
    `CapInh: 0000000000000000 CapPrm: ${eff} CapEff: ${eff} CapBnd: ${bound} CapAmb: 0000000000000000`;
  const [normal, none] = ['00000000a80425fb', '0000000000000000'];
  assert.equal(await sets(), `${hex(normal)} NoNewPrivs: 0 Seccomp: 2`);
  assert.equal(await sets('--cap-drop', 'ALL'), `${hex(none)} NoNewPrivs: 0 Seccomp: 2`);
  assert.match(
    await sets('--cap-drop', 'ALL', '--cap-add', 'chown'),
    /CapEff: 0000000000000001 CapBnd: 0000000000000001/,
  );
  assert.match(await sets('--cap-add', 'NET_ADMIN'), /CapEff: 00000000a80435fb/);
  assert.equal(await sets('--user', '1000'), `${hex(none, normal)} NoNewPrivs: 0 Seccomp: 2`);
  assert.match(await sets('--security-opt', 'no-new-privileges'), /NoNewPrivs: 1 Seccomp: 2$/);
  assert.match(await sets('--privileged'), /Seccomp: 0$/);
});

test('--read-only, systempaths=unconfined and --privileged open or close what they say', async () => {
  const attempts = ['touch /x', 'touch /tmp/x', 'touch /etc/x', 'touch /dev/shm/x'];
  assert.deepEqual(await whatWorked(attempts, '--read-only', '--tmpfs', '/tmp'), ['touch /tmp/x', 'touch /dev/shm/x']);
  const masked = [
    'grep . /proc/timer_list',
    '[ -w /proc/sys/kernel/core_pattern ] && grep -v "^proc /proc/sys " /proc/mounts | grep -q . && ! grep -q "^proc /proc/sys " /proc/mounts',
  ];
  assert.deepEqual(await whatWorked(masked), []);
  assert.equal((await whatWorked(masked, '--security-opt', 'systempaths=unconfined')).length, 2);
  assert.deepEqual(await whatWorked(['mount -t tmpfs none /tmp', 'unshare -m true'], '--privileged'), [
    'mount -t tmpfs none /tmp',
    'unshare -m true',
  ]);
});

test('no descriptor of the daemon, the monitor or the runtime is open in a container', async () => {
  const list = 'for p in 1 self; do for f in /proc/$p/fd/*; do readlink $f; done; done; true';
  const harmless = /^(pipe:\[\d+\]|\/dev\/(null|pts\/0|console)|\/proc\/\d+\/fd|socket:\[\d+\]|)$/;
  const check = (output: string) => {
    const strange = output
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => !harmless.test(line));
    assert.deepEqual(strange, []);
    return output;
  };
  check(await shell(list));
  check(await shell(list, '-t'));
  const name = uniqueName('fds');
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '1000');
  for (let count = 0; count < 3; count++) check(await daemon().ok('exec', name, 'sh', '-c', list));
  // One more than 0, 1, 2: the one the shell reads the directory with, at most.
  assert.ok(Number(await daemon().ok('exec', name, 'sh', '-c', 'ls /proc/1/fd | wc -l')) <= 3);
});

test('a working directory under /proc/self/fd leads nowhere (CVE-2024-21626)', async () => {
  const name = uniqueName('cwd');
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '1000');
  const marker = join(scratch, 'cwd-marker');
  writeFileSync(marker, 'host');
  const look = `for up in . .. ../.. ../../.. ../../../..; do cat $up${marker} && echo ESCAPED; done; true`;
  await Promise.all(
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16].flatMap((fd) => {
      const at = ['-w', `/proc/self/fd/${fd}`];
      return [
        daemon().docker(['run', '--rm', '--network', 'none', ...at, BUSYBOX, 'sh', '-c', look]),
        daemon().docker(['exec', ...at, name, 'sh', '-c', look]),
      ].map(async (result) => assert.doesNotMatch((await result).output, /ESCAPED/, `descriptor ${fd}`));
    }),
  );
});

test('a container cannot get at the runtime that enters it (CVE-2019-5736)', async () => {
  const runtime = findCommand('crun') ?? '';
  const digest = () => createHash('sha256').update(readFileSync(runtime)).digest('hex');
  const before = digest();
  const name = uniqueName('exe');
  // Keeps hold of every program that appears, and writes to it once it is no longer busy.
  const code = `
    my %held; $| = 1; print "ready\\n";
    while (1) {
      for my $p (glob "/proc/[0-9]*") {
        my $exe = readlink "$p/exe" or next;
        next if $exe =~ m{^/(usr/)?bin/(perl|busybox)} or $held{$p};
        open(my $h, "<", "$p/exe") and $held{$p} = $h and print "held $exe\\n";
      }
      for my $p (keys %held) {
        print "WROTE\\n" if open(my $w, ">>", "/proc/self/fd/" . fileno($held{$p}));
      }
    }`;
  await daemon().ok('run', '-d', '--name', name, ...PERL, BUSYBOX, '/usr/bin/perl', '-e', code);
  await eventually('the attacker looks', async () => /ready/.test(await daemon().ok('logs', name)));
  for (let count = 0; count < 12; count++) await daemon().docker(['exec', name, '/proc/self/exe', 'true']);
  assert.doesNotMatch(await daemon().ok('logs', name), /WROTE/);
  assert.equal(digest(), before);
});

test('files of a container that the daemon reads may be anything', async () => {
  const name = uniqueName('files');
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '1000');
  const inside = (script: string) => daemon().ok('exec', '-u', '0', name, 'sh', '-c', script);
  await inside('rm -f /etc/passwd /etc/group; mkfifo /etc/passwd /etc/group');
  assert.match((await daemon().docker(['exec', '-u', 'nobody', name, 'true'])).stderr, /unable to find user nobody/);
  await inside('rm -f /etc/passwd; truncate -s 20G /etc/passwd');
  assert.match((await daemon().docker(['exec', '-u', 'nobody', name, 'true'])).stderr, /unable to find user nobody/);
  await inside('rm -f /etc/passwd; ln -s /proc/self/environ /etc/passwd');
  assert.match((await daemon().docker(['exec', '-u', 'nobody', name, 'true'])).stderr, /unable to find user nobody/);
  await inside('rm -f /etc/passwd; ln -s /dev/zero /etc/passwd');
  assert.match((await daemon().docker(['exec', '-u', 'nobody', name, 'true'])).stderr, /unable to find user nobody/);
  await inside('mkfifo /pipe; mknod /zero c 1 5');
  const copied = await daemon().docker(['cp', `${name}:/pipe`, join(scratch, 'pipe')]);
  assert.notEqual(copied.code, 124, 'docker cp of a FIFO hangs');
  const zero = await daemon().docker(['cp', `${name}:/zero`, join(scratch, 'zero')], { timeoutMs: 10_000 });
  assert.notEqual(zero.code, 124, 'docker cp of a device reads it');
  await daemon().ok('restart', '-t', '0', name);
});

test('an image whose system paths are links cannot reach the host through them', async () => {
  const victim = join(scratch, 'victim');
  mkdirSync(victim);
  for (const file of ['hosts', 'resolv.conf', 'hostname', 'null']) writeFileSync(join(victim, file), 'precious');
  const reference = `links:${uniqueName('i')}`;
  const up = '../../../../../../../../../../../..';
  await loadBusybox(daemon().host, {
    reference,
    layers: [
      [
        { path: 'etc/hosts', linkTo: `${victim}/hosts` },
        { path: 'etc/resolv.conf', linkTo: `${up}${victim}/resolv.conf` },
        { path: 'etc/hostname', linkTo: `${up}/proc/1/root${victim}/hostname` },
        { path: 'data', linkTo: `${up}${victim}` },
      ],
    ],
  });
  const volume = uniqueName('vol');
  const script = 'echo mine > /data/mark; echo x >> /etc/hosts; echo x >> /etc/resolv.conf; cat /data/hosts; true';
  const result = await daemon().docker(['run', '--rm', '-v', `${volume}:/data/inner`, reference, 'sh', '-c', script]);
  assert.doesNotMatch(result.output, /precious/);
  assert.ok(!existsSync(join(victim, 'mark')) && !existsSync(join(victim, 'inner')));
  for (const file of ['hosts', 'resolv.conf', 'hostname', 'null'])
    assert.equal(readFileSync(join(victim, file), 'utf8'), 'precious');
  await daemon().ok('volume', 'rm', volume);
});

test('masks and the console hold against a /dev of the attacker (CVE-2025-31133, 52565, 52881)', async () => {
  const corePattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
  const volume = uniqueName('dev');
  const prepare =
    'cd /v; ln -s /proc/sys/kernel/core_pattern null; ln -s /proc/sys/kernel/core_pattern console; ln -s /proc/sysrq-trigger ptmx';
  await daemon().ok('run', '--rm', '-v', `${volume}:/v`, BUSYBOX, 'sh', '-c', prepare);
  const look =
    'for f in /proc/kcore /proc/keys /proc/timer_list /dev/console /dev/null; do ( echo "|/evil" > $f ) 2>/dev/null; done; cat /proc/sys/kernel/core_pattern; true';
  for (const options of [[], ['-t']]) {
    const result = await daemon().docker([
      'run',
      '--rm',
      ...options,
      '-v',
      `${volume}:/dev`,
      BUSYBOX,
      'sh',
      '-c',
      look,
    ]);
    assert.doesNotMatch(result.stdout, /evil/, options.join(' '));
    assert.equal(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), corePattern);
  }
  await daemon().ok('volume', 'rm', volume);
});

test('a container sees and signals no process but its own, and listens to no traffic but its own', async () => {
  const host = process.pid;
  const attempts = [`kill -0 ${host}`, `ls /proc/${host}/root`, `[ $(ls -d /proc/[0-9]* | wc -l) -gt 8 ]`];
  assert.deepEqual(await whatWorked(attempts), []);
  const links = await daemon().ok('run', '--rm', BUSYBOX, 'ls', '/sys/class/net');
  assert.equal(links, 'eth0\nlo');
});
