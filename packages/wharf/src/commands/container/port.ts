import { naturalOrder } from '@wharf/kit/natural-order';
import { between, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { objectPath } from '../../cli/object-path.ts';
import { hostPort } from './ports-text.ts';

interface Binding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

interface Container {
  readonly NetworkSettings?: { readonly Ports?: Readonly<Record<string, readonly Binding[] | null>> | null };
}

/** `wharf port`. */
export const port = defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  flags: {},
  args: between(1, 2),
  complete: ['running-container'],
  examples: ['wharf port web', 'wharf port web 80'],
  run: async (context) => {
    const [name = '', wanted = ''] = context.args;
    const client = await context.client();
    const container = await client.json<Container>('GET', objectPath('container', name, '/json'));
    const ports = container.NetworkSettings?.Ports ?? {};
    const lines = wanted === '' ? allBindings(ports) : bindingsOf(ports, wanted, name);
    if (lines.length > 0) context.out.line(lines.toSorted(naturalOrder).join('\n'));
  },
});

type Ports = Readonly<Record<string, readonly Binding[] | null>>;

function allBindings(ports: Ports): readonly string[] {
  return Object.entries(ports).flatMap(([from, bindings]) =>
    (bindings ?? []).map((each) => `${from} -> ${address(each)}`),
  );
}

function bindingsOf(ports: Ports, wanted: string, container: string): readonly string[] {
  const [number = '', protocol = ''] = wanted.split(/\/(.*)/s);
  const digits = /^\d+$/.test(number);
  if (!digits || Number(number) > 0xffff) {
    const why = digits ? 'value out of range' : 'invalid syntax';
    throw new ExitError(
      1,
      `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: ${why}`,
    );
  }
  const key = `${number}/${protocol || 'tcp'}`;
  const bindings = (Object.hasOwn(ports, key) ? ports[key] : undefined) ?? [];
  if (bindings.length === 0) throw new ExitError(1, `Error: No public port '${wanted}' published for ${container}`);
  return bindings.map(address);
}

function address({ HostIp = '', HostPort = '' }: Binding): string {
  return hostPort(HostIp, HostPort);
}
