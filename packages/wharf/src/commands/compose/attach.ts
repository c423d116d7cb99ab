import { anyArguments, defineCommand } from '../../cli/command.ts';
import { attach as containerAttach } from '../container/attach.ts';
import { findContainer } from './containers.ts';
import { checkArguments } from './count.ts';
import { INDEX_FLAG } from './index-flag.ts';
import { ComposeSession } from './session.ts';

export const attach = defineCommand({
  usage: '[OPTIONS] SERVICE',
  description: "Attach local standard input, output, and error streams to a service's running container",
  flags: {
    'detach-keys': { kind: 'string', help: 'Override the key sequence for detaching from a container.' },
    ...INDEX_FLAG,
    'no-stdin': { kind: 'bool', help: 'Do not attach STDIN' },
    'sig-proxy': { kind: 'bool', default: true, help: 'Proxy all received signals to the process' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose attach --no-stdin web'],
  run: async (context) => {
    const { flags, args } = context;
    checkArguments(args, { least: 1 });
    const [service = ''] = args;
    const session = new ComposeSession(context);
    const container = await findContainer(
      await session.client(),
      { project: await session.projectName(), service, index: flags.index, all: false, oneOff: 'include' },
      session.signal,
    );
    const { 'detach-keys': keys = '', 'no-stdin': noStdin, 'sig-proxy': sigProxy } = flags;
    const given = { 'detach-keys': keys, 'no-stdin': noStdin, 'sig-proxy': sigProxy };
    return (await containerAttach.run(context.as(containerAttach.flags, given, [container.Id]))) ?? 0;
  },
});
