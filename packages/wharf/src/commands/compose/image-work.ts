import type { Project } from '@wharf/compose/model/project';
import type { BuildRequest, ImageProvider, PullRequest } from '@wharf/compose/run/images';
import { WharfError } from '@wharf/kit/errors';
import { parseReference } from '@wharf/kit/reference';
import { Semaphore } from '@wharf/kit/semaphore';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { DaemonError } from '@wharf/wire/docker-client/errors';
import type { DockerConfig } from '../../client-config/docker-config.ts';
import { pullEvent, pushEvent, type TransferMessage } from './image-progress.ts';
import type { ProgressView } from './progress/event.ts';
import type { ComposeSession } from './session.ts';

/** So many images are moved at a time where nobody said a number: the daemon bounds its transfers itself. */
const UNLIMITED = 1024;

export interface ImageWorkOptions {
  readonly quietPull: boolean;
  readonly quietBuild: boolean;
  /** Takes lines of builds; absent: they are shown on standard error. */
  readonly onLine?: (line: string) => void;
}

/** How images of a project come and go: pulled, pushed, built. */
export class ImageWork {
  readonly #session: ComposeSession;
  readonly #project: Project;
  readonly #options: ImageWorkOptions;
  readonly #slots: Semaphore;
  #config: Promise<DockerConfig> | undefined;

  constructor(session: ComposeSession, project: Project, options: ImageWorkOptions) {
    this.#session = session;
    this.#project = project;
    this.#options = options;
    this.#slots = new Semaphore(session.parallel ?? UNLIMITED);
  }

  /** The same for a runner, which says what is missing. */
  provider(view: ProgressView): ImageProvider {
    return {
      pull: async (requests, { signal }) => {
        await this.pull(requests, view, signal ?? this.#session.signal);
      },
      build: (requests, { signal }) => this.build(requests, view, signal ?? this.#session.signal),
    };
  }

  /** Pulls all. Throws the first failure of an image that cannot be built instead; the others are finished before. */
  async pull(
    requests: readonly PullRequest[],
    view: ProgressView,
    signal: AbortSignal,
  ): Promise<readonly PullFailure[]> {
    const failures: PullFailure[] = [];
    await Promise.all(
      requests.map((request) =>
        this.#slots
          .run(() => this.#pullOne(request, view, signal), { signal })
          .catch((error: unknown) => {
            if (signal.aborted) throw error;
            failures.push({ request, error });
          }),
      ),
    );
    const fatal = failures.find(({ request }) => !request.buildable);
    if (fatal !== undefined) throw fatal.error;
    return failures;
  }

  /** Pushes one name of an image. */
  async push(name: string, view: ProgressView, signal: AbortSignal): Promise<void> {
    const client = await this.#session.client();
    const { tag, repository } = splitTag(name);
    const call = { query: { tag }, headers: await this.#auth(name), signal };
    for await (const message of client.messages<TransferMessage>('POST', `/images/${repository}/push`, call)) {
      throwFailure(message);
      const event = pushEvent(name, message);
      if (event !== undefined) view.event(event);
    }
  }

  /** Builds all, each once; answers the ids by image name. */
  async build(
    requests: readonly BuildRequest[],
    view: ProgressView,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>> {
    const { buildServices } = await import('./build/build-services.ts');
    const flags = { quiet: this.#options.quietBuild };
    const { onLine } = this.#options;
    view.pause?.();
    const surroundings = { session: this.#session, project: this.#project, flags, onLine };
    const built = await buildServices(surroundings, requests, signal).finally(() => view.resume?.());
    for (const name of built.keys()) view.event({ id: name, status: 'done', statusText: 'Built' });
    return built;
  }

  async #pullOne(request: PullRequest, view: ProgressView, signal: AbortSignal): Promise<void> {
    const { service, buildable } = request;
    view.event({ id: service, status: 'working', text: 'Pulling' });
    try {
      await this.#transfer(await this.#session.client(), request, view, signal);
    } catch (error) {
      if (signal.aborted) view.event({ id: service, status: 'warning', statusText: 'Interrupted' });
      else if (error instanceof DaemonError) {
        const statusText = error.daemonMessage;
        view.event({
          id: service,
          status: buildable ? 'warning' : 'error',
          text: buildable ? 'Warning' : 'Error',
          statusText,
        });
      }
      throw error;
    }
    view.event({ id: service, status: 'done', text: 'Pulled' });
  }

  async #transfer(client: DockerClient, request: PullRequest, view: ProgressView, signal: AbortSignal): Promise<void> {
    const { service, image, platform = this.#project.environment['DOCKER_DEFAULT_PLATFORM'] } = request;
    const { tag, repository } = splitTag(image);
    const query = { fromImage: repository, tag, platform: platform === '' ? undefined : platform };
    const call = { query, headers: await this.#auth(image), signal };
    for await (const message of client.messages<TransferMessage>('POST', '/images/create', call)) {
      throwFailure(message);
      const event = this.#options.quietPull ? undefined : pullEvent(service, message);
      if (event !== undefined) view.event(event);
    }
  }

  /** The login for an image's registry, as the Engine API takes it. */
  async #auth(image: string): Promise<Readonly<Record<string, string>>> {
    this.#config ??= import('../../client-config/docker-config.ts').then(({ DockerConfig: Config }) => new Config());
    return { 'X-Registry-Auth': await (await this.#config).registryAuth(parseReference(image).domain) };
  }
}

export interface PullFailure {
  readonly request: PullRequest;
  readonly error: unknown;
}

/** A name as the daemon wants it: the repository, and the tag or digest. Throws for what is no name. */
function splitTag(name: string): { readonly repository: string; readonly tag: string } {
  const { tag, digest } = parseReference(name);
  const bare = digest === undefined ? name : name.slice(0, name.indexOf('@'));
  const repository = tag === undefined ? bare : bare.slice(0, -tag.length - 1);
  return { repository, tag: digest ?? tag ?? 'latest' };
}

function throwFailure({ error, errorDetail }: TransferMessage): void {
  const message = errorDetail?.message ?? error;
  if (message !== undefined) throw new WharfError('unavailable', message);
}
