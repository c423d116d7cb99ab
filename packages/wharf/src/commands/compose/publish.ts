import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { renderConfig } from '@wharf/compose/config/config';
import { imageName } from '@wharf/compose/convert/names';
import { allServices } from '@wharf/compose/load/select';
import type { Project } from '@wharf/compose/model/project';
import { messageOf } from '@wharf/kit/errors';
import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { goQuote } from './containers.ts';
import { ImageWork } from './image-work.ts';
import type { ProgressView } from './progress/event.ts';
import { type ArtifactLayer, fileLayer } from './remote/artifact.ts';
import { ComposeSession } from './session.ts';

export const publish = defineCommand({
  usage: '[OPTIONS] REPOSITORY[:TAG]',
  description:
    'Put the compose files of an application into a registry, from where `-f oci://REPOSITORY[:TAG]` reads them',
  flags: {
    app: { kind: 'bool', help: 'Published compose application (includes referenced images)' },
    'oci-version': {
      kind: 'string',
      default: '',
      help: 'OCI image/artifact specification version (automatically determined by default)',
      complete: ['1.0', '1.1'],
    },
    'resolve-image-digests': { kind: 'bool', help: 'Pin image tags to digests' },
    'with-env': { kind: 'bool', help: 'Include environment variables in the published OCI artifact' },
    y: { kind: 'bool', hidden: true, help: '', deprecated: 'please use --yes instead' },
    yes: { kind: 'bool', short: 'y', help: 'Assume "yes" as answer to all prompts' },
  },
  args: exactly(1),
  examples: [
    'wharf compose publish registry.example.org/me/shop:1',
    'wharf compose -f oci://registry.example.org/me/shop:1 up -d',
  ],
  run: async (context) => {
    const { flags, args } = context;
    const [name = ''] = args;
    const version = flags['oci-version'];
    if (version !== '' && version !== '1.0' && version !== '1.1') {
      throw new ExitError(1, `unsupported OCI version: ${version}`, 'There are 1.0 and 1.1.');
    }
    if (flags.app) {
      throw new ExitError(
        1,
        '--app is not supported: images stay in the repositories that they are in',
        'Publish without it; --resolve-image-digests pins them.',
      );
    }
    const session = new ComposeSession(context);
    const project = everyProfile(await session.load({ allResources: true }));
    const isSure = flags.yes || flags.y;
    await checkFiles(session, project);
    if (!(await mayPublish(session, project, { withEnvironment: flags['with-env'], isSure }))) return;
    await session.withProgress('Publishing', async (view) => {
      await pushImages(session, project, view);
      const layers = await layersOf(session, project, flags['resolve-image-digests']);
      view.event({ id: name, text: 'publishing', status: 'working' });
      try {
        const { openRepository } = await import('./remote/registry.ts');
        const { pushArtifact } = await import('./remote/push-artifact.ts');
        using repository = await openRepository(name);
        await pushArtifact(repository, layers, {
          version: version === '' ? undefined : version,
          signal: session.signal,
        });
      } catch (error) {
        view.event({ id: name, text: 'publishing', status: 'error' });
        throw error;
      }
      view.event({ id: name, text: 'published', status: 'done' });
    });
  },
});

/** All services count, whatever their profiles. */
function everyProfile(project: Project): Project {
  return { ...project, services: allServices(project), disabledServices: {} };
}

/** Only files that stand for themselves are published: what they refer to would be missing elsewhere. */
async function checkFiles(session: ComposeSession, { services }: Project): Promise<void> {
  const { loadSettledModel } = await import('@wharf/compose/load/load-settled-model');
  const { document } = await loadSettledModel(session.loadOptions({ interpolate: false, normalize: false }));
  const refuse = (what: string): ExitError =>
    new ExitError(
      1,
      `cannot publish compose file with ${what}`,
      'Publish what `wharf compose config -o FILE` writes: it has all in it.',
    );
  if (document['include'] !== undefined) throw refuse('local includes');
  for (const [name, service] of Object.entries(services)) {
    if (service.env_file !== undefined && service.env_file.length > 0)
      throw refuse(`an env_file (service ${goQuote(name)})`);
    if (service.extends?.file !== undefined) throw refuse(`files that it extends (service ${goQuote(name)})`);
  }
}

/** Asks about what others might not be meant to see. Throws for what cannot be published. */
async function mayPublish(
  session: ComposeSession,
  project: Project,
  { withEnvironment, isSure }: { readonly withEnvironment: boolean; readonly isSure: boolean },
): Promise<boolean> {
  const services = Object.entries(project.services);
  const built = services.filter(([, { image, build }]) => image === undefined && build !== undefined);
  if (built.length > 0) {
    const list = built.map(([name]) => `- ${goQuote(name)}\n`).join('');
    throw new ExitError(
      1,
      `your Compose stack cannot be published as it only contains a build section for service(s):\n${list}`,
      'Give them an `image`, which others can pull.',
    );
  }
  if (isSure) return true;
  const binds = services.flatMap(([name, { volumes = [] }]) =>
    volumes.filter(({ type }) => type === 'bind').map(({ source = '', target = '' }) => `${name}${source}:${target}\n`),
  );
  const bindQuestion = `you are about to publish bind mounts declaration within your OCI artifact.
only the bind mount declarations will be added to the OCI artifact (not content)
please double check that you are not mounting potential user's sensitive directories or data
${binds.join('')}Are you ok to publish these bind mount declarations?`;
  if (binds.length > 0 && !(await session.confirm(bindQuestion))) return false;
  const withVariables = services.filter(([, { environment = {} }]) => Object.keys(environment).length > 0);
  if (withVariables.length === 0) return true;
  if (!withEnvironment) {
    const list = withVariables
      .map(([name]) => `service ${goQuote(name)} has environment variable(s) declared.\n`)
      .join('');
    throw new ExitError(
      1,
      `${list}To avoid leaking sensitive data, you must either explicitly allow the sending of environment variables by using the --with-env flag,\nor remove sensitive data from your Compose configuration`,
    );
  }
  const list = withVariables.map(([name, { environment = {} }]) => {
    const lines = Object.entries(environment).map(([key, value]) => `${key}=${value ?? ''}\n`);
    return `Service/Config  ${name}\n${lines.join('')}`;
  });
  return session.confirm(
    `you are about to publish environment variables within your OCI artifact.\nplease double check that you are not leaking sensitive data\n${list.join('')}Are you ok to publish these environment variables?`,
  );
}

/** Images that are built here are brought to their registries; one that cannot be is said. */
async function pushImages(session: ComposeSession, project: Project, view: ProgressView): Promise<void> {
  const work = new ImageWork(session, project, { quietPull: false, quietBuild: false });
  for (const [id, service] of Object.entries(project.services)) {
    if (service.build === undefined) {
      view.event({ id, status: 'done', text: 'Skipped' });
      continue;
    }
    try {
      await work.push(imageName(project.name, id, service), view, session.signal);
    } catch (error) {
      if (session.signal.aborted) throw error;
      view.tail(`Pushing ${id}: ${messageOf(error)}`);
    }
  }
}

async function layersOf(session: ComposeSession, project: Project, pinned: boolean): Promise<readonly ArtifactLayer[]> {
  const layers: ArtifactLayer[] = [];
  for (const file of project.composeFiles) layers.push(fileLayer(basename(file), await readFile(file)));
  if (!pinned) return layers;
  const { digestResolver } = await import('./image-digests.ts');
  const resolveDigest = await digestResolver(session);
  const text = await renderConfig(session.loadOptions(), { format: 'yaml', imagesOnly: true, resolveDigest });
  return [...layers, fileLayer('image-digests.yaml', Buffer.from(text))];
}
