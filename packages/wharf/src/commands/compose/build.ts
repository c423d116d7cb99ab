import { noSuchService } from '@wharf/compose/load/select';
import type { Project } from '@wharf/compose/model/project';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { type BuildTarget, contextServices, type ServiceBuildFlags, targetOf } from './build/service-values.ts';
import { goQuote } from './containers.ts';
import { forAllPlatforms } from './platforms.ts';
import { ComposeSession } from './session.ts';

const NO_LONGER = 'it means nothing any more';

export const build = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'build-arg': { kind: 'list', type: 'stringArray', help: 'Set build-time variables for services' },
    builder: { kind: 'string', default: '', help: 'Set builder to use' },
    check: { kind: 'bool', help: 'Check build configuration' },
    compress: { kind: 'bool', default: true, hidden: true, help: '', deprecated: NO_LONGER },
    'force-rm': { kind: 'bool', default: true, hidden: true, help: '', deprecated: NO_LONGER },
    memory: { kind: 'bytes', short: 'm', help: 'Set memory limit for the build container. Not supported by BuildKit.' },
    'no-cache': { kind: 'bool', help: 'Do not use cache when building the image' },
    'no-rm': { kind: 'bool', hidden: true, help: '', deprecated: NO_LONGER },
    parallel: { kind: 'bool', default: true, hidden: true, help: '', deprecated: NO_LONGER },
    print: { kind: 'bool', help: 'Print equivalent bake file' },
    provenance: { kind: 'string', help: 'Add a provenance attestation' },
    pull: { kind: 'bool', help: 'Always attempt to pull a newer version of the image' },
    push: { kind: 'bool', help: 'Push service images' },
    quiet: { kind: 'bool', short: 'q', help: 'Suppress the build output' },
    sbom: { kind: 'string', help: 'Add a SBOM attestation' },
    ssh: {
      kind: 'string',
      help: "Set SSH authentications used when building service images. (use 'default' for using your default SSH Agent)",
    },
    'with-dependencies': { kind: 'bool', help: 'Also build dependencies (transitively)' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: [
    'wharf compose build                        # every service that has a `build`',
    'wharf compose build --pull --no-cache web',
    'wharf compose build --print                # what buildx bake would be told',
  ],
  run: async (context) => {
    const { flags, args } = context;
    const session = new ComposeSession(context);
    const settings: ServiceBuildFlags = {
      args: flags['build-arg'],
      ...{ noCache: flags['no-cache'], pull: flags.pull, push: flags.push, check: flags.check },
      ...given('ssh', sshOf(flags.ssh)),
      ...given('provenance', flags.provenance),
      ...given('sbom', flags.sbom),
    };
    const project = forAllPlatforms(await session.load({ allResources: true, resolveEnvironment: false }));
    const targets = Object.entries(project.services).flatMap(
      ([name, service]) => targetOf(project, name, service) ?? [],
    );
    const wanted = selectTargets(project, targets, { names: args, withDependencies: flags['with-dependencies'] });
    if (flags.print) {
      if (wanted.length === 0) return;
      const { bakeFile } = await import('./build/bake-file.ts');
      const names = wanted.map(({ name }) => name);
      return context.out.line(goIndented(bakeFile(project, { all: targets, wanted: names, flags: settings })));
    }
    if (flags.memory !== undefined) {
      context.err.line('WARNING: --memory is not supported by BuildKit and will be ignored');
    }
    if (wanted.length === 0) return;
    const { buildServices } = await import('./build/build-services.ts');
    const surroundings = { session, project, flags: { ...settings, quiet: flags.quiet } };
    const built = await buildServices(surroundings, wanted, session.signal);
    if (flags.check || flags.quiet) return;
    await session.withProgress('Building', async (view) => {
      for (const name of built.keys()) view.event({ id: name, status: 'done', statusText: 'Built' });
    });
  },
});

/** The targets that are asked for, with those their contexts are made of. Throws ExitError for a name that is no service's. */
function selectTargets(
  project: Project,
  targets: readonly BuildTarget[],
  { names, withDependencies }: { readonly names: readonly string[]; readonly withDependencies: boolean },
): readonly BuildTarget[] {
  for (const name of names) {
    if (project.services[name] === undefined && project.disabledServices[name] === undefined) {
      throw noSuchService(name);
    }
  }
  const wanted = new Set(names.length > 0 ? names : Object.keys(project.services));
  // What is added is looked at in its turn.
  for (const name of wanted) {
    const service = project.services[name];
    for (const needed of contextServices(service?.build ?? {})) wanted.add(needed);
    if (withDependencies) for (const needed of Object.keys(service?.depends_on ?? {})) wanted.add(needed);
  }
  return targets.filter(({ name }) => wanted.has(name));
}

function sshOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text === '') return 'default';
  if (!text.includes('=') && text !== 'default') throw new ExitError(1, `invalid ssh key ${goQuote(text)}`);
  return text;
}

function given<K extends string>(key: K, value: string | undefined): { readonly [Key in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [Key in K]?: string };
}

/** JSON as Go's MarshalIndent writes it. */
function goIndented(value: object): string {
  return JSON.stringify(value, null, 2).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
