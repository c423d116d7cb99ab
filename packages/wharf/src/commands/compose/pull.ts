import { imageName } from '@wharf/compose/convert/names';
import type { Project } from '@wharf/compose/model/project';
import type { PullRequest } from '@wharf/compose/run/images';
import { parseReference } from '@wharf/kit/reference';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ImageWork } from './image-work.ts';
import type { ProgressView } from './progress/event.ts';
import { ComposeSession } from './session.ts';

export const pull = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'ignore-buildable': { kind: 'bool', help: 'Ignore images that can be built' },
    'ignore-pull-failures': { kind: 'bool', help: 'Pull what it can and ignores images with pull failures' },
    'include-deps': { kind: 'bool', help: 'Also pull services declared as dependencies' },
    'no-parallel': { kind: 'bool', hidden: true, help: '', deprecated: 'it means nothing any more' },
    parallel: { kind: 'bool', default: true, hidden: true, help: '', deprecated: 'it means nothing any more' },
    policy: {
      kind: 'string',
      default: '',
      help: 'Apply pull policy ("missing"|"always")',
      complete: ['missing', 'always'],
    },
    quiet: { kind: 'bool', short: 'q', help: 'Pull without printing progress information' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: [
    'wharf compose pull                   # newer versions of all images',
    'wharf compose pull --policy missing',
  ],
  run: async (context) => {
    const { flags, args } = context;
    const session = new ComposeSession(context);
    const select = flags['include-deps'] ? 'dependencies' : 'none';
    const project = await session.load({ services: args, select, resolveEnvironment: false });
    const work = new ImageWork(session, project, { quietPull: flags.quiet, quietBuild: false });
    await session.withProgress('Pulling', async (view) => {
      const present = await imagesPresent(await session.client(), project, session.signal);
      const requests = choose(project, {
        present,
        policy: flags.policy,
        view,
        skipBuildable: flags['ignore-buildable'],
      });
      const ignore = flags['ignore-pull-failures'];
      // What may fail is not the end of the others.
      const asked = ignore ? requests.map((request) => ({ ...request, buildable: true })) : requests;
      const failures = await work.pull(asked, view, session.signal);
      const mustBuild = failures.map(({ request }) => request.service).filter((name) => project.services[name]?.build);
      if (mustBuild.length > 0) {
        view.tail(
          `WARNING: Some service image(s) must be built from source by running:\n    ${context.program} compose build ${mustBuild.join(' ')}`,
        );
      }
      if (!ignore && failures[0] !== undefined) throw failures[0].error;
    });
  },
});

interface Choice {
  readonly present: ReadonlySet<string>;
  readonly policy: string;
  readonly skipBuildable: boolean;
  readonly view: ProgressView;
}

/** Which images are pulled; of the others it is said why not. */
function choose({ services }: Project, { present, policy, skipBuildable, view }: Choice): readonly PullRequest[] {
  const requests: PullRequest[] = [];
  const by = new Map<string, string>();
  for (const [service, { image, build, platform, pull_policy: own = '' }] of Object.entries(services)) {
    const skip = (text: string): void => view.event({ id: service, status: 'done', text });
    const wanted = policy === '' ? own : policy;
    const other = image === undefined ? undefined : by.get(image);
    if (image === undefined) skip('Skipped - No image to be pulled');
    else if (wanted === 'never' || wanted === 'build') skip('Skipped');
    else if ((wanted === 'missing' || wanted === 'if_not_present') && present.has(image) && !isLatest(image)) {
      skip('Skipped - Image is already present locally');
    } else if (build !== undefined && skipBuildable) skip('Skipped - Image can be built');
    else if (other !== undefined) skip(`Skipped - Image is already being pulled by ${other}`);
    else {
      by.set(image, service);
      requests.push({ service, image, platform, buildable: build !== undefined });
    }
  }
  return requests;
}

/** `latest` may be another image by now. */
function isLatest(image: string): boolean {
  const { tag, digest } = parseReference(image);
  return digest === undefined && (tag ?? 'latest') === 'latest';
}

async function imagesPresent(
  client: DockerClient,
  project: Project,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const names = Object.entries(project.services).map(([name, service]) => imageName(project.name, name, service));
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        await client.text('GET', `/images/${encodeURI(name)}/json`, { signal });
        return [name];
      } catch (error) {
        if (isStatus(error, 404)) return [];
        throw error;
      }
    }),
  );
  return new Set(found.flat());
}
