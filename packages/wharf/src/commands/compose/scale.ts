import { noSuchService } from '@wharf/compose/load/select';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { checkArguments } from './count.ts';
import { ImageWork } from './image-work.ts';
import { ComposeSession } from './session.ts';

export const scale = defineCommand({
  usage: '[SERVICE=REPLICAS...]',
  flags: { 'no-deps': { kind: 'bool', help: "Don't start linked services" } },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose scale worker=5 web=2'],
  run: async (context) => {
    checkArguments(context.args, { least: 1 });
    const replicas = replicasOf(context.args);
    const services = Object.keys(replicas).toSorted();
    const session = new ComposeSession(context);
    const { 'no-deps': noDeps } = context.flags;
    const project = await session.load({ services, select: noDeps ? 'none' : 'dependencies' });
    for (const service of services) {
      if (project.services[service] === undefined) throw noSuchService(service);
    }
    const images = new ImageWork(session, project, { quietPull: false, quietBuild: false });
    await session.withProgress('Running', async (view) => {
      const runner = await session.runner({ project, name: project.name, view }, { images: images.provider(view) });
      await runner.scale(replicas, { noDeps, signal: session.signal });
    });
  },
});

function replicasOf(args: readonly string[]): Readonly<Record<string, number>> {
  const replicas: Record<string, number> = {};
  for (const text of args) {
    const equals = text.indexOf('=');
    const [name, number] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
    if (name === '' || number === '') throw new ExitError(1, `invalid scale specifier: ${text}`);
    if (!/^[+-]?\d+$/.test(number)) {
      throw new ExitError(1, `invalid scale specifier: can't parse replica value as int: ${text}`);
    }
    replicas[name] = Number(number);
  }
  return replicas;
}
