import { isIP } from 'node:net';

/** How a directive's value is written on the command line and in daemon.json. */
type DirectiveKind = 'string' | 'bool' | 'int' | 'list' | 'map' | 'runtimes' | 'ulimits' | 'pools' | 'driver-options';

/** One setting of the daemon: a flag, a key of daemon.json, and the check its value has to pass. */
export interface Directive {
  /** The long flag without dashes; also the key in daemon.json unless `key` says otherwise. */
  readonly flag: string;
  /** The key in daemon.json where dockerd names it differently (`labels` for `--label`). */
  readonly key?: string;
  readonly short?: string;
  readonly kind: DirectiveKind;
  readonly help: string;
  /** Looks at one value (each element of a list or map); returns what is wrong with it. */
  readonly check?: (value: string) => string | undefined;
  /** Both the flag and the file may name it; the values are merged. */
  readonly mergesWithFile?: true;
  /** Only on the command line. */
  readonly flagOnly?: true;
  /** May change on SIGHUP. */
  readonly reloadable?: true;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;

/** All settings, in the order `--help` shows them. Names are dockerd's where it has them. */
export const DIRECTIVES: readonly Directive[] = [
  {
    flag: 'add-runtime',
    key: 'runtimes',
    kind: 'runtimes',
    help: 'Register an additional OCI runtime, as name=path',
    mergesWithFile: true,
  },
  { flag: 'bip6', kind: 'string', help: 'IPv6 address and prefix of the default bridge', check: ipv6Cidr },
  { flag: 'bip', kind: 'string', help: 'Address and prefix of the default bridge, as 172.17.0.1/16', check: ipv4Cidr },
  {
    flag: 'bridge',
    short: 'b',
    kind: 'string',
    help: 'Name of the default bridge; made when missing',
    check: interfaceName,
  },
  {
    flag: 'builder-gc',
    kind: 'string',
    help: 'Bounds of the build cache, as builder.gc in daemon.json: {"defaultKeepStorage": "20GB"}',
  },
  {
    flag: 'builder-history',
    kind: 'string',
    help: 'Which records of builds are kept, as builder.history in daemon.json: {"maxEntries": 50, "maxAge": "48h"}',
  },
  { flag: 'builder-network-host', kind: 'bool', help: 'Builds may ask for the network of the host (default true)' },
  { flag: 'builder-security-insecure', kind: 'bool', help: 'Builds may ask for all powers of the host' },
  {
    flag: 'cdi-spec-dir',
    key: 'cdi-spec-dirs',
    kind: 'list',
    help: 'Directory of CDI specifications; an empty one turns CDI off',
    check: (value) => (value === '' ? undefined : absolutePath(value)),
  },
  { flag: 'cgroup-parent', kind: 'string', help: 'Parent cgroup of all containers' },
  { flag: 'config-file', kind: 'string', help: 'Configuration file', flagOnly: true },
  { flag: 'data-root', kind: 'string', help: 'Directory of the persistent state', check: absolutePath },
  { flag: 'debug', short: 'D', kind: 'bool', help: 'Log at level debug', reloadable: true },
  {
    flag: 'default-cgroupns-mode',
    kind: 'string',
    help: 'Cgroup namespace of containers that name none: "host" or "private"',
    check: oneOf('host', 'private'),
  },
  {
    flag: 'default-ipc-mode',
    kind: 'string',
    help: 'IPC namespace of containers that name none: "private" or "shareable"',
    check: oneOf('private', 'shareable'),
  },
  {
    flag: 'default-address-pool',
    key: 'default-address-pools',
    kind: 'pools',
    help: 'Where networks get their subnets from, as base=10.10.0.0/16,size=24',
  },
  { flag: 'default-gateway', kind: 'string', help: 'IPv4 gateway of the default bridge', check: ipAddress },
  { flag: 'default-gateway-v6', kind: 'string', help: 'IPv6 gateway of the default bridge', check: ipAddress },
  {
    flag: 'default-network-opt',
    key: 'default-network-opts',
    kind: 'driver-options',
    help: 'Default option of networks of a driver, as bridge=com.docker.network.driver.mtu=1450',
  },
  { flag: 'default-runtime', kind: 'string', help: 'OCI runtime of containers that name none' },
  { flag: 'default-shm-size', kind: 'string', help: 'Size of /dev/shm, as 64m', check: byteSize },
  {
    flag: 'default-ulimit',
    key: 'default-ulimits',
    kind: 'ulimits',
    help: 'Default limit of containers, as nofile=1024:2048',
  },
  { flag: 'dns', kind: 'list', help: 'DNS server for containers', check: ipAddress },
  { flag: 'dns-opt', key: 'dns-opts', kind: 'list', help: 'DNS option for containers' },
  { flag: 'dns-search', kind: 'list', help: 'DNS search domain for containers' },
  {
    flag: 'exec-opt',
    key: 'exec-opts',
    kind: 'list',
    help: 'Execution option: native.cgroupdriver=cgroupfs or native.cgroupdriver=systemd',
    check: execOption,
  },
  {
    flag: 'exec-root',
    kind: 'string',
    help: 'Directory of state that may be lost when the machine restarts',
    check: absolutePath,
  },
  {
    flag: 'gc-opt',
    key: 'gc',
    kind: 'map',
    help: 'Make room by itself: high=85% (where to begin), low=70% (where to end), containers=true (stopped ones too)',
  },
  { flag: 'fixed-cidr', kind: 'string', help: 'Where the default bridge gives out addresses from', check: ipv4Cidr },
  { flag: 'fixed-cidr-v6', kind: 'string', help: 'IPv6 subnet of the default bridge', check: ipv6Cidr },
  { flag: 'group', short: 'G', kind: 'string', help: 'Group that may use the unix socket' },
  {
    flag: 'host',
    key: 'hosts',
    short: 'H',
    kind: 'list',
    help: 'Address to listen on: unix:///path or tcp://host:port',
    check: listenAddress,
  },
  { flag: 'http-proxy', kind: 'string', help: 'Proxy for calls to registries over HTTP', reloadable: true },
  { flag: 'https-proxy', kind: 'string', help: 'Proxy for calls to registries over HTTPS', reloadable: true },
  { flag: 'icc', kind: 'bool', help: 'Let containers of the default bridge talk to each other (default true)' },
  { flag: 'init', kind: 'bool', help: 'Run an init process in every container' },
  { flag: 'init-path', kind: 'string', help: 'Path of the static init binary', check: absolutePath },
  {
    flag: 'insecure-registry',
    key: 'insecure-registries',
    kind: 'list',
    help: 'Registry that may be spoken to without TLS',
    reloadable: true,
  },
  { flag: 'ip', kind: 'string', help: 'Host address for published ports that name none', check: ipAddress },
  { flag: 'ip-masq', kind: 'bool', help: 'Hide containers of the default bridge behind this host (default true)' },
  { flag: 'ipv6', kind: 'bool', help: 'Give networks IPv6 unless they say otherwise (default true)' },
  {
    flag: 'label',
    key: 'labels',
    kind: 'list',
    help: 'Label of this daemon, as key=value',
    check: label,
    reloadable: true,
  },
  {
    flag: 'live-restore',
    kind: 'bool',
    help: 'Leave containers running when the daemon stops (default true)',
    reloadable: true,
  },
  { flag: 'log-driver', kind: 'string', help: 'Default log driver of containers' },
  {
    flag: 'log-format',
    kind: 'string',
    help: 'Format of the daemon\'s own log: "text" or "json"',
    check: oneOf('text', 'json'),
  },
  {
    flag: 'log-level',
    short: 'l',
    kind: 'string',
    help: `Level of the daemon's own log: ${LOG_LEVELS.join(', ')}`,
    check: oneOf(...LOG_LEVELS),
    reloadable: true,
  },
  { flag: 'log-opt', key: 'log-opts', kind: 'map', help: 'Default log option of containers, as key=value' },
  {
    flag: 'max-concurrent-downloads',
    kind: 'int',
    help: 'Layers fetched at once by all pulls together (default 3)',
    check: positive,
    reloadable: true,
  },
  {
    flag: 'max-concurrent-uploads',
    kind: 'int',
    help: 'Layers sent at once by all pushes together (default 5)',
    check: positive,
    reloadable: true,
  },
  {
    flag: 'max-download-attempts',
    kind: 'int',
    help: 'Tries to fetch a layer before a pull fails (default 5)',
    check: positive,
    reloadable: true,
  },
  { flag: 'metrics-addr', kind: 'string', help: 'Address that serves metrics, as 127.0.0.1:9323', check: hostPort },
  { flag: 'mtu', kind: 'int', help: 'MTU of the default bridge', check: mtu },
  { flag: 'no-proxy', kind: 'string', help: 'Hosts reached without the proxy, by commas', reloadable: true },
  { flag: 'pidfile', short: 'p', kind: 'string', help: "File that holds the daemon's process id", check: absolutePath },
  { flag: 'no-new-privileges', kind: 'bool', help: 'Set no-new-privileges for containers that do not say otherwise' },
  {
    flag: 'plugin-dir',
    key: 'plugin-dirs',
    kind: 'list',
    help: "Directory where volume plugins are found, instead of Docker's own",
    check: absolutePath,
  },
  {
    flag: 'registry-config',
    kind: 'string',
    help: "Settings of the daemon's own registry, as `wharf registry serve --config` reads them",
    check: absolutePath,
  },
  {
    flag: 'registry-listen',
    kind: 'list',
    help: "Address of the daemon's own registry, as 127.0.0.1:5000; none is served without",
    check: hostPort,
  },
  {
    flag: 'registry-config-dir',
    key: 'registry-config-dirs',
    kind: 'list',
    help: 'Directory with hosts.toml and certificates of registries (default /etc/wharf/certs.d and /etc/docker/certs.d)',
    check: absolutePath,
    reloadable: true,
  },
  {
    flag: 'registry-mirror',
    key: 'registry-mirrors',
    kind: 'list',
    help: 'Mirror of Docker Hub, as https://host',
    check: mirror,
    reloadable: true,
  },
  {
    flag: 'seccomp-profile',
    kind: 'string',
    help: 'Default seccomp profile: a file, "builtin" or "unconfined"',
  },
  {
    flag: 'shutdown-timeout',
    kind: 'int',
    help: 'Seconds containers get to stop with the daemon, when --live-restore is false',
    reloadable: true,
  },
  {
    flag: 'storage-driver',
    short: 's',
    kind: 'string',
    help: 'How layers are stacked: "overlayfs" or "copy"',
    check: oneOf('overlayfs', 'overlay2', 'copy', 'vfs'),
  },
  { flag: 'tls', kind: 'bool', help: 'Speak TLS on tcp addresses' },
  {
    flag: 'tlscacert',
    kind: 'string',
    help: 'Trust client certificates signed by this authority',
    check: absolutePath,
  },
  { flag: 'tlscert', kind: 'string', help: 'Certificate of the daemon', check: absolutePath },
  { flag: 'tlskey', kind: 'string', help: 'Key of the certificate', check: absolutePath },
  { flag: 'tlsverify', kind: 'bool', help: 'Speak TLS on tcp addresses and ask clients for a certificate' },
  {
    flag: 'userns-remap',
    kind: 'string',
    help: 'User namespace of containers: "default", or user[:group] with ranges in /etc/subuid and /etc/subgid',
  },
];

/** The directive a key of daemon.json means, if any. */
export function directiveOfKey(key: string): Directive | undefined {
  return DIRECTIVES.find((directive) => !directive.flagOnly && keyOf(directive) === key);
}

/** The name of a directive in daemon.json. */
export function keyOf(directive: Directive): string {
  return directive.key ?? directive.flag;
}

function oneOf(...choices: readonly string[]): (value: string) => string | undefined {
  return (value) => (choices.includes(value) ? undefined : `must be one of ${choices.join(', ')}`);
}

function absolutePath(value: string): string | undefined {
  return value.startsWith('/') && !value.includes('\0') ? undefined : 'must be an absolute path';
}

function ipAddress(value: string): string | undefined {
  return isIP(value) === 0 ? `${value} is not an ip address` : undefined;
}

function ipv4Cidr(value: string): string | undefined {
  const [address = '', prefix = ''] = value.split('/');
  const valid = isIP(address) === 4 && /^\d{1,2}$/.test(prefix) && Number(prefix) >= 8 && Number(prefix) <= 30;
  return valid ? undefined : `invalid CIDR address: ${value}`;
}

function ipv6Cidr(value: string): string | undefined {
  const [address = '', prefix = '', ...rest] = value.split('/');
  const valid = isIP(address) === 6 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= 126;
  return valid ? undefined : `invalid CIDR address: ${value}`;
}

/** Linux interface names: 1 to 15 bytes, no slash, space or colon (`dev_valid_name()`). */
function interfaceName(value: string): string | undefined {
  return /^[^\s/:]{1,15}$/.test(value) && value !== '.' && value !== '..'
    ? undefined
    : 'is not an interface name of at most 15 characters';
}

function byteSize(value: string): string | undefined {
  return /^\d+(\.\d+)?\s*[kmgtp]?i?b?$/i.test(value) ? undefined : `invalid size: '${value}'`;
}

function positive(value: string): string | undefined {
  return Number(value) > 0 ? undefined : 'must be at least 1';
}

function mtu(value: string): string | undefined {
  const number = Number(value);
  return number === 0 || (number >= 68 && number <= 65535) ? undefined : 'must be between 68 and 65535';
}

function execOption(value: string): string | undefined {
  if (value === 'native.cgroupdriver=cgroupfs' || value === 'native.cgroupdriver=systemd') return undefined;
  if (value.startsWith('native.cgroupdriver=')) return `unknown cgroup driver in "${value}": use cgroupfs or systemd`;
  return `unknown execution option: ${value}`;
}

function label(value: string): string | undefined {
  return value.includes('=') && !value.startsWith('=') ? undefined : `bad attribute format: ${value}`;
}

function hostPort(value: string): string | undefined {
  const match = /^(?:\[[^\]]+\]|[^:\s]*):(\d{1,5})$/.exec(value);
  return match !== null && Number(match[1]) <= 65535 ? undefined : 'must be host:port';
}

function listenAddress(value: string): string | undefined {
  if (value.startsWith('unix://')) {
    return value.slice('unix://'.length).startsWith('/')
      ? undefined
      : 'must name an absolute path, as unix:///run/wharf.sock';
  }
  if (value.startsWith('tcp://')) return hostPort(value.slice('tcp://'.length));
  return `invalid bind address (${value}): must start with unix:// or tcp://`;
}

function mirror(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return `invalid mirror: unsupported scheme in "${value}": must be http:// or https://`;
  }
  if (url.username !== '' || url.password !== '')
    return 'invalid mirror: username and password are not allowed in the address';
  return url.search === '' && url.hash === ''
    ? undefined
    : 'invalid mirror: query and fragment are not allowed in the address';
}
