import { resolve } from 'node:path';
import { parseDotenv } from '@wharf/compose/load/dotenv';
import { parsePortSpec } from '@wharf/compose/load/port-spec';
import { splitWords } from '@wharf/compose/load/shell-words';
import { parseVolumeSpec } from '@wharf/compose/load/volume-spec';
import type { Project } from '@wharf/compose/model/project';
import type { Mount, Port } from '@wharf/compose/model/service';
import type { OneOffOptions } from '@wharf/compose/run/runner';
import { messageOf } from '@wharf/kit/errors';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { noTerminal } from '../../containers/attach.ts';
import { containerPath } from '../../containers/path.ts';
import { startAttached } from '../../containers/start-attached.ts';
import { forwardSignals } from '../../containers/streams/forward-signals.ts';
import { isInputTerminal } from '../../containers/streams/raw-terminal.ts';
import { checkArguments } from './count.ts';
import { pullOf } from './create-flags.ts';
import { ImageWork } from './image-work.ts';
import { forOnePlatform } from './platforms.ts';
import type { ProgressView } from './progress/event.ts';
import { ComposeSession } from './session.ts';
import { isTrue } from './settings.ts';

const FLAGS = {
  build: { kind: 'bool', help: 'Build image before starting container' },
  'cap-add': { kind: 'list', help: 'Add Linux capabilities' },
  'cap-drop': { kind: 'list', help: 'Drop Linux capabilities' },
  detach: { kind: 'bool', short: 'd', help: 'Run container in background and print container ID' },
  entrypoint: { kind: 'string', help: 'Override the entrypoint of the image' },
  env: { kind: 'list', short: 'e', type: 'stringArray', help: 'Set environment variables' },
  'env-from-file': { kind: 'list', type: 'stringArray', help: 'Set environment variables from file', complete: 'file' },
  interactive: { kind: 'bool', short: 'i', default: true, help: 'Keep STDIN open even if not attached' },
  label: { kind: 'list', short: 'l', type: 'stringArray', help: 'Add or override a label' },
  labels: { kind: 'list', hidden: true, help: '' },
  name: { kind: 'string', help: 'Assign a name to the container' },
  'no-TTY': { kind: 'bool', short: 'T', help: 'Disable pseudo-TTY allocation (default: auto-detected)' },
  'no-deps': { kind: 'bool', help: "Don't start linked services" },
  publish: { kind: 'list', short: 'p', type: 'stringArray', help: "Publish a container's port(s) to the host" },
  pull: {
    kind: 'string',
    default: 'policy',
    help: 'Pull image before running ("always"|"missing"|"never")',
    complete: ['always', 'missing', 'never'],
  },
  quiet: { kind: 'bool', short: 'q', help: "Don't print anything to STDOUT" },
  'quiet-build': { kind: 'bool', help: 'Suppress progress output from the build process' },
  'quiet-pull': { kind: 'bool', help: 'Pull without printing progress information' },
  'remove-orphans': { kind: 'bool', help: 'Remove containers for services not defined in the Compose file' },
  rm: { kind: 'bool', help: 'Automatically remove the container when it exits' },
  'service-ports': {
    kind: 'bool',
    short: 'P',
    help: "Run command with all service's ports enabled and mapped to the host",
  },
  tty: { kind: 'bool', short: 't', default: true, hidden: true, help: '' },
  'use-aliases': {
    kind: 'bool',
    help: "Use the service's network useAliases in the network(s) the container connects to",
  },
  user: { kind: 'string', short: 'u', help: 'Run as specified username or uid' },
  volume: { kind: 'list', short: 'v', type: 'stringArray', help: 'Bind mount a volume' },
  volumes: { kind: 'list', hidden: true, help: '' },
  workdir: { kind: 'string', short: 'w', help: 'Working directory inside the container' },
} as const satisfies FlagTable;

type RunContext = CliContext<typeof FLAGS>;

export const run = defineCommand({
  usage: '[OPTIONS] SERVICE [COMMAND] [ARGS...]',
  interspersed: false,
  flags: FLAGS,
  args: anyArguments,
  complete: ['service', 'none'],
  examples: [
    'wharf compose run --rm web npm test',
    'wharf compose run --rm -e DEBUG=1 --service-ports web',
    'wharf compose run --rm --no-deps -T db pg_dump > dump.sql',
  ],
  run: runOneOff,
});

async function runOneOff(context: RunContext): Promise<number> {
  const { flags, args } = context;
  checkArguments(args, { least: 1 });
  const [service = ''] = args;
  if (flags.publish.length > 0 && flags['service-ports']) {
    throw new ExitError(1, '--service-ports and --publish are incompatible');
  }
  const tty = wantsTerminal(context);
  const session = new ComposeSession(context, flags.quiet ? { progress: 'quiet' } : {});
  const project = forOnePlatform(
    await session.load({
      services: [service],
      select: flags['no-deps'] ? 'none' : 'dependencies',
    }),
  );
  await session.announce(project, false);
  const options = await oneOffOptions(context, project, { service, tty });
  if (!flags.detach && flags.interactive && tty && !isInputTerminal()) throw noTerminal();
  const images = new ImageWork(session, project, { quietPull: flags['quiet-pull'], quietBuild: flags['quiet-build'] });
  const container = await session.withProgress('Running', async (view) => {
    // Of the container itself docker compose says nothing: its output follows.
    const ownName = flags.name ?? `${project.name}-${service}-run-`;
    const others: ProgressView = {
      ...view,
      event: (event) => {
        if (!event.id.startsWith(`Container ${ownName}`)) view.event(event);
      },
    };
    const runner = await session.runner(
      { project, name: project.name, view: others },
      { images: images.provider(view) },
    );
    return runner.createOneOff({ ...options, signal: session.signal });
  });
  const client = await session.client();
  const { id } = container;
  const start = () => client.text('POST', containerPath(id, '/start'));
  if (flags.detach) {
    await start();
    if (!flags.quiet) context.out.line(id);
    return 0;
  }
  using _signals = forwardSignals(client, id);
  const streams = { stdin: flags.interactive, stdout: !flags.quiet, stderr: true };
  const { out, err } = context;
  // Signals are forwarded until the end, not until this line.
  return await startAttached({
    ...{ client, container: id, streams, tty, detachKeys: '', autoRemove: flags.rm },
    ...{ forwards: true, out, err, start },
  });
}

/** A terminal, unless somebody said no, or there is none on either side. */
function wantsTerminal(context: RunContext): boolean {
  const { flags } = context;
  if (context.given('tty')) {
    if (context.given('no-TTY')) throw new ExitError(1, "--tty and --no-TTY can't be used together");
    return flags.tty;
  }
  if (context.given('no-TTY')) return !flags['no-TTY'];
  if (!context.given('interactive') && !isInputTerminal()) return false;
  return context.out.isTerminal;
}

async function oneOffOptions(
  context: RunContext,
  project: Project,
  { service, tty }: { readonly service: string; readonly tty: boolean },
): Promise<OneOffOptions> {
  const { flags, args } = context;
  const command = args.slice(1);
  const { name, user, workdir, entrypoint } = flags;
  return {
    ...{ service, tty, interactive: flags.interactive, autoRemove: flags.rm },
    ...(name === undefined ? {} : { name }),
    ...(command.length === 0 ? {} : { command }),
    ...(entrypoint === undefined ? {} : { entrypoint: splitWords(entrypoint) }),
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { workingDir: workdir }),
    environment: environmentOf(context, project),
    labels: labelsOf([...flags.label, ...flags.labels]),
    ...{ capAdd: flags['cap-add'], capDrop: flags['cap-drop'], useAliases: flags['use-aliases'] },
    servicePorts: flags['service-ports'],
    ports: flags.publish.flatMap((text) => inTheirWords(() => parsePortSpec(text))) as Port[],
    volumes: [...flags.volume, ...flags.volumes].map(volumeOf),
    noDeps: flags['no-deps'],
    ...(context.given('pull') ? { pull: pullOf(flags.pull) } : {}),
    ...(flags.build ? { build: true } : {}),
    removeOrphans: flags['remove-orphans'],
    ignoreOrphans: isTrue(project.environment['COMPOSE_IGNORE_ORPHANS']),
  };
}

/** `-e`, which wins over files. A name alone has the value of the project's environment, or is left out. */
function environmentOf({ flags }: RunContext, { environment }: Project): readonly string[] {
  const values = new Map<string, string>();
  for (const file of flags['env-from-file']) {
    const source = process.getBuiltinModule('node:fs').readFileSync(file, 'utf8');
    parseDotenv(source, values, { file, lookup: (name) => environment[name] });
  }
  for (const text of flags.env) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? environment[name] : text.slice(equals + 1);
    if (value !== undefined) values.set(name, value);
  }
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function labelsOf(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=');
      if (equals < 0) throw new ExitError(1, 'label must be set as KEY=VALUE');
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function volumeOf(text: string): Mount {
  const volume = inTheirWords(() => parseVolumeSpec(text)) as Mount;
  return volume.type === 'bind' && volume.source !== undefined ? { ...volume, source: resolve(volume.source) } : volume;
}

/** Short forms are refused in docker compose's words. */
function inTheirWords<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ExitError(1, messageOf(error));
  }
}
