import { parseGoInteger } from '@wharf/kit/go-numbers';
import type { FlagTable, FlagValues } from '../../cli/flags.ts';
import { trustFlag } from '../../images/trust-flag.ts';
import { parseDnsSearch, parseDnsServer, parseExtraHost } from '../values/addresses.ts';
import { type DeviceRequest, parseGpus } from '../values/gpus.ts';
import {
  parseBytesRate,
  parseCpus,
  parseOperationsRate,
  parseSwap,
  parseUlimit,
  parseWeightDevice,
} from '../values/limits.ts';
import { type ParsedMount, parseMount } from '../values/mount.ts';
import { parseNetwork } from '../values/network.ts';
import {
  parseAttach,
  parseDeviceCgroupRule,
  parseLabel,
  parseLink,
  parseSysctl,
  parseVariable,
} from '../values/words.ts';

/** 16 bits without a sign, in any of Go's bases. */
export const parseUint16 = (text: string): number =>
  Number(parseGoInteger(text, { as: 'ParseUint', bits: 16, base: 0 }));

/** What a process in a container may use; `update` changes some of them. */
const RESOURCES = {
  'blkio-weight': {
    kind: 'string',
    type: 'uint16',
    parse: parseUint16,
    help: 'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)',
  },
  'blkio-weight-device': {
    kind: 'list',
    parse: parseWeightDevice,
    shownDefault: '[]',
    help: 'Block IO weight (relative device weight)',
  },
  'cgroup-parent': { kind: 'string', help: 'Optional parent cgroup for the container' },
  'cpu-count': { kind: 'int', hidden: true, help: 'CPU count (Windows only)' },
  'cpu-percent': { kind: 'int', hidden: true, help: 'CPU percent (Windows only)' },
  'cpu-period': { kind: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) period' },
  'cpu-quota': { kind: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) quota' },
  'cpu-rt-period': { kind: 'int', help: 'Limit CPU real-time period in microseconds' },
  'cpu-rt-runtime': { kind: 'int', help: 'Limit CPU real-time runtime in microseconds' },
  'cpu-shares': { kind: 'int', short: 'c', help: 'CPU shares (relative weight)' },
  cpus: { kind: 'string', type: 'decimal', parse: parseCpus, help: 'Number of CPUs' },
  'cpuset-cpus': { kind: 'string', help: 'CPUs in which to allow execution (0-3, 0,1)' },
  'cpuset-mems': { kind: 'string', help: 'MEMs in which to allow execution (0-3, 0,1)' },
  device: { kind: 'list', complete: 'file', help: 'Add a host device to the container' },
  'device-cgroup-rule': {
    kind: 'list',
    parse: parseDeviceCgroupRule,
    help: 'Add a rule to the cgroup allowed devices list',
  },
  'device-read-bps': {
    kind: 'list',
    parse: parseBytesRate,
    shownDefault: '[]',
    help: 'Limit read rate (bytes per second) from a device',
  },
  'device-read-iops': {
    kind: 'list',
    parse: parseOperationsRate,
    shownDefault: '[]',
    help: 'Limit read rate (IO per second) from a device',
  },
  'device-write-bps': {
    kind: 'list',
    parse: parseBytesRate,
    shownDefault: '[]',
    help: 'Limit write rate (bytes per second) to a device',
  },
  'device-write-iops': {
    kind: 'list',
    parse: parseOperationsRate,
    shownDefault: '[]',
    help: 'Limit write rate (IO per second) to a device',
  },
  gpus: {
    kind: 'list',
    type: 'gpu-request',
    parse: (text: string): DeviceRequest => parseGpus(text),
    help: "GPU devices to add to the container ('all' to pass all GPUs)",
  },
  'io-maxbandwidth': {
    kind: 'bytes',
    hidden: true,
    help: 'Maximum IO bandwidth limit for the system drive (Windows only)',
  },
  'io-maxiops': { kind: 'uint', hidden: true, help: 'Maximum IOps limit for the system drive (Windows only)' },
  'kernel-memory': { kind: 'bytes', help: 'Kernel memory limit' },
  memory: { kind: 'bytes', short: 'm', help: 'Memory limit' },
  'memory-reservation': { kind: 'bytes', help: 'Memory soft limit' },
  'memory-swap': {
    kind: 'string',
    type: 'bytes',
    parse: parseSwap,
    help: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
  },
  'memory-swappiness': { kind: 'int', default: -1, help: 'Tune container memory swappiness (0 to 100)' },
  'oom-kill-disable': { kind: 'bool', help: 'Disable OOM Killer' },
  'oom-score-adj': { kind: 'int', help: "Tune host's OOM preferences (-1000 to 1000)" },
  'pids-limit': { kind: 'int', help: 'Tune container pids limit (set -1 for unlimited)' },
  'shm-size': { kind: 'bytes', help: 'Size of /dev/shm' },
  ulimit: { kind: 'list', type: 'ulimit', parse: parseUlimit, shownDefault: '[]', help: 'Ulimit options' },
} as const satisfies FlagTable;

const NETWORK = {
  'add-host': { kind: 'list', parse: parseExtraHost, help: 'Add a custom host-to-IP mapping (host:ip)' },
  dns: { kind: 'list', parse: parseDnsServer, help: 'Set custom DNS servers' },
  'dns-opt': { kind: 'list', hidden: true, help: 'Set DNS options' },
  'dns-option': { kind: 'list', help: 'Set DNS options' },
  'dns-search': { kind: 'list', parse: parseDnsSearch, help: 'Set custom DNS search domains' },
  domainname: { kind: 'string', help: 'Container NIS domain name' },
  expose: { kind: 'list', help: 'Expose a port or a range of ports' },
  hostname: { kind: 'string', short: 'h', help: 'Container host name' },
  ip: { kind: 'string', help: 'IPv4 address (e.g., 172.30.100.104)' },
  ip6: { kind: 'string', help: 'IPv6 address (e.g., 2001:db8::33)' },
  link: { kind: 'list', parse: parseLink, complete: 'container', help: 'Add link to another container' },
  'link-local-ip': { kind: 'list', help: 'Container IPv4/IPv6 link-local addresses' },
  'mac-address': { kind: 'string', help: 'Container MAC address (e.g., 92:d0:c6:0a:29:33)' },
  net: { kind: 'list', type: 'network', parse: parseNetwork, hidden: true, help: 'Connect a container to a network' },
  'net-alias': { kind: 'list', hidden: true, help: 'Add network-scoped alias for the container' },
  network: {
    kind: 'list',
    type: 'network',
    parse: parseNetwork,
    complete: 'network',
    help: 'Connect a container to a network',
  },
  'network-alias': { kind: 'list', help: 'Add network-scoped alias for the container' },
  publish: { kind: 'list', short: 'p', help: "Publish a container's port(s) to the host" },
  'publish-all': { kind: 'bool', short: 'P', help: 'Publish all exposed ports to random ports' },
} as const satisfies FlagTable;

const STORAGE = {
  'log-driver': { kind: 'string', help: 'Logging driver for the container' },
  'log-opt': { kind: 'list', help: 'Log driver options' },
  mount: {
    kind: 'list',
    type: 'mount',
    parse: (text: string): ParsedMount => parseMount(text, process.cwd()),
    help: 'Attach a filesystem mount to the container',
  },
  'read-only': { kind: 'bool', help: "Mount the container's root filesystem as read only" },
  'storage-opt': { kind: 'list', help: 'Storage driver options for the container' },
  tmpfs: { kind: 'list', help: 'Mount a tmpfs directory' },
  volume: { kind: 'list', short: 'v', complete: 'file', help: 'Bind mount a volume' },
  'volume-driver': { kind: 'string', help: 'Optional volume driver for the container' },
  'volumes-from': { kind: 'list', complete: 'container', help: 'Mount volumes from the specified container(s)' },
} as const satisfies FlagTable;

const HEALTH = {
  'health-cmd': { kind: 'string', help: 'Command to run to check health' },
  'health-interval': { kind: 'duration', help: 'Time between running the check (ms|s|m|h) (default 0s)' },
  'health-retries': { kind: 'int', help: 'Consecutive failures needed to report unhealthy' },
  'health-start-interval': {
    kind: 'duration',
    help: 'Time between running the check during the start period (ms|s|m|h) (default 0s)',
  },
  'health-start-period': {
    kind: 'duration',
    help: 'Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)',
  },
  'health-timeout': { kind: 'duration', help: 'Maximum time to allow one check to run (ms|s|m|h) (default 0s)' },
  'no-healthcheck': { kind: 'bool', help: 'Disable any container-specified HEALTHCHECK' },
} as const satisfies FlagTable;

const CGROUPNS = `Cgroup namespace to use (host|private)
'host':    Run the container in the Docker host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured by the
           default-cgroupns-mode option on the daemon (default)`;

const WALLS = {
  annotation: {
    kind: 'map',
    shownDefault: 'map[]',
    help: 'Add an annotation to the container (passed through to the OCI runtime)',
  },
  'cap-add': { kind: 'list', help: 'Add Linux capabilities' },
  'cap-drop': { kind: 'list', help: 'Drop Linux capabilities' },
  cgroupns: { kind: 'string', complete: ['host', 'private'], help: CGROUPNS },
  init: { kind: 'bool', help: 'Run an init inside the container that forwards signals and reaps processes' },
  ipc: { kind: 'string', help: 'IPC mode to use' },
  isolation: { kind: 'string', help: 'Container isolation technology' },
  pid: { kind: 'string', help: 'PID namespace to use' },
  privileged: { kind: 'bool', help: 'Give extended privileges to this container' },
  runtime: { kind: 'string', help: 'Runtime to use for this container' },
  'security-opt': { kind: 'list', help: 'Security Options' },
  sysctl: { kind: 'list', type: 'map', parse: parseSysctl, shownDefault: 'map[]', help: 'Sysctl options' },
  userns: { kind: 'string', help: 'User namespace to use' },
  uts: { kind: 'string', help: 'UTS namespace to use' },
} as const satisfies FlagTable;

const PROCESS = {
  attach: { kind: 'list', short: 'a', parse: parseAttach, help: 'Attach to STDIN, STDOUT or STDERR' },
  cidfile: { kind: 'string', complete: 'file', help: 'Write the container ID to the file' },
  entrypoint: { kind: 'string', help: 'Overwrite the default ENTRYPOINT of the image' },
  env: {
    kind: 'list',
    short: 'e',
    parse: (text: string): string => parseVariable(text, process.env),
    help: 'Set environment variables',
  },
  'env-file': { kind: 'list', complete: 'file', help: 'Read in a file of environment variables' },
  'group-add': { kind: 'list', help: 'Add additional groups to join' },
  interactive: { kind: 'bool', short: 'i', help: 'Keep STDIN open even if not attached' },
  label: { kind: 'list', short: 'l', parse: parseLabel, help: 'Set meta data on a container' },
  'label-file': { kind: 'list', complete: 'file', help: 'Read in a line delimited file of labels' },
  restart: {
    kind: 'string',
    default: 'no',
    complete: ['always', 'no', 'on-failure', 'unless-stopped'],
    help: 'Restart policy to apply when a container exits',
  },
  rm: {
    kind: 'bool',
    help: 'Automatically remove the container and its associated anonymous volumes when it exits',
  },
  'stop-signal': { kind: 'string', help: 'Signal to stop the container' },
  'stop-timeout': { kind: 'int', help: 'Timeout (in seconds) to stop a container' },
  tty: { kind: 'bool', short: 't', help: 'Allocate a pseudo-TTY' },
  user: { kind: 'string', short: 'u', help: 'Username or UID (format: <name|uid>[:<group|gid>])' },
  workdir: { kind: 'string', short: 'w', help: 'Working directory inside the container' },
} as const satisfies FlagTable;

/** The flags that say what a container is to be: those of `create` and `run`. */
export const CONTAINER_FLAGS = {
  ...RESOURCES,
  ...NETWORK,
  ...STORAGE,
  ...HEALTH,
  ...WALLS,
  ...PROCESS,
} as const satisfies FlagTable;

export type ContainerFlags = FlagValues<typeof CONTAINER_FLAGS>;

/** The flags that say how `create` and `run` come to a container. */
export const CREATION_FLAGS = {
  'disable-content-trust': trustFlag('Skip image verification'),
  name: { kind: 'string', help: 'Assign a name to the container' },
  platform: { kind: 'string', help: 'Set platform if server is multi-platform capable' },
  quiet: { kind: 'bool', short: 'q', help: 'Suppress the pull output' },
  'use-api-socket': { kind: 'bool', help: 'Bind mount Docker API socket and required auth' },
} as const satisfies FlagTable;

export type CreationFlags = FlagValues<typeof CREATION_FLAGS>;
