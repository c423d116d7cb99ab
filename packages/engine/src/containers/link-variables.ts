interface Port {
  readonly number: number;
  readonly protocol: string;
}

/**
 * What a container learns of one that it links to, as `ALIAS_PORT_80_TCP_ADDR=172.17.0.2` and the like. Successive ports of
 * one protocol are also told as a range. Pure.
 */
export function linkVariables(child: {
  /** `/linking/alias`. */
  readonly name: string;
  readonly address: string;
  readonly environment: readonly string[];
  readonly exposedPorts: readonly string[];
}): readonly string[] {
  const { name, address } = child;
  const alias = (name.split('/').at(-1) ?? name).toUpperCase().replaceAll('-', '_');
  const ports = child.exposedPorts.map(portOf).sort(tcpFirst);
  const [first] = ports;
  return [
    ...(first ? [`${alias}_PORT=${first.protocol}://${address}:${first.number}`] : []),
    ...ports.flatMap((port) => portVariables(alias, address, port)),
    ...rangesOf(ports).flatMap((range) => rangeVariables(alias, address, range)),
    `${alias}_NAME=${name}`,
    ...child.environment
      .filter((entry) => /^(?!HOME=|PATH=)[^=]*=/.test(entry))
      .map((entry) => `${alias}_ENV_${entry}`),
  ];
}

function portOf(key: string): Port {
  const [number = '0', protocol = 'tcp'] = key.split('/');
  return { number: Number(number), protocol };
}

function tcpFirst(a: Port, b: Port): number {
  if (a.protocol === b.protocol) return a.number - b.number;
  if (a.protocol === 'tcp' || b.protocol === 'tcp') return a.protocol === 'tcp' ? -1 : 1;
  return a.protocol < b.protocol ? -1 : 1;
}

const prefixOf = (alias: string, { number, protocol }: Port): string =>
  `${alias}_PORT_${number}_${protocol.toUpperCase()}`;

function portVariables(alias: string, address: string, port: Port): readonly string[] {
  const prefix = prefixOf(alias, port);
  return [
    `${prefix}=${port.protocol}://${address}:${port.number}`,
    `${prefix}_ADDR=${address}`,
    `${prefix}_PORT=${port.number}`,
    `${prefix}_PROTO=${port.protocol}`,
  ];
}

interface Range {
  readonly from: Port;
  readonly to: Port;
}

/** Runs of two ports and more. */
function rangesOf(ports: readonly Port[]): readonly Range[] {
  const ranges: Range[] = [];
  for (const port of ports) {
    const last = ranges.at(-1);
    if (last && last.to.protocol === port.protocol && last.to.number + 1 === port.number) {
      ranges[ranges.length - 1] = { from: last.from, to: port };
    } else {
      ranges.push({ from: port, to: port });
    }
  }
  return ranges.filter(({ from, to }) => from !== to);
}

function rangeVariables(alias: string, address: string, { from, to }: Range): readonly string[] {
  const prefix = prefixOf(alias, from);
  return [
    `${prefix}_START=${from.protocol}://${address}:${from.number}`,
    `${prefix}_PORT_START=${from.number}`,
    `${prefix}_END=${to.protocol}://${address}:${to.number}`,
    `${prefix}_PORT_END=${to.number}`,
  ];
}
