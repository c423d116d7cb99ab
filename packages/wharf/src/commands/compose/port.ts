import type { ContainerSummary } from '@wharf/wire/docker/types';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { findContainer, goQuote } from './containers.ts';
import { checkArguments } from './count.ts';
import { INDEX_FLAG } from './index-flag.ts';
import { ComposeSession } from './session.ts';

const MAX_PORT = 65_535;

export const port = defineCommand({
  usage: '[OPTIONS] SERVICE PRIVATE_PORT',
  flags: { ...INDEX_FLAG, protocol: { kind: 'string', default: 'tcp', help: 'tcp or udp', complete: ['tcp', 'udp'] } },
  args: anyArguments,
  complete: ['service', 'none'],
  examples: ['wharf compose port web 80     # 0.0.0.0:32768'],
  run: async (context) => {
    checkArguments(context.args, { least: 2 });
    const [service = '', text = ''] = context.args;
    const number = portOf(text);
    const protocol = context.flags.protocol.toLowerCase();
    const session = new ComposeSession(context);
    const container = await findContainer(
      await session.client(),
      { project: await session.projectName(), service, index: context.flags.index, all: false, oneOff: 'include' },
      session.signal,
    );
    const found = (container.Ports ?? []).find(({ PrivatePort, Type }) => PrivatePort === number && Type === protocol);
    if (found === undefined) throw notPublished(container, `${number}/${protocol}`);
    context.out.line(`${found.IP ?? ''}:${found.PublicPort ?? 0}`);
  },
});

function portOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new ExitError(1, `strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`);
  const number = Number(text);
  if (number > MAX_PORT) throw new ExitError(1, `strconv.ParseUint: parsing ${goQuote(text)}: value out of range`);
  return number;
}

function notPublished({ Ports, Names }: ContainerSummary, wanted: string): ExitError {
  const has = (Ports ?? []).map(({ PublicPort = 0, Type }) => `${PublicPort}/${Type}`).join(', ');
  return new ExitError(1, `no port ${wanted} for container ${(Names[0] ?? '').replace(/^\//, '')}: ${has}`);
}
