import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import type { Observed, ObservedContainer } from '../plan/observed.ts';
import type { Plan } from '../plan/steps.ts';
import type { ImageProvider } from './images.ts';
import type { Progress } from './progress.ts';

/** Everything a runner needs from outside. */
export interface RunnerOptions {
  readonly client: DockerClient;
  /** The project's name in lower case. */
  readonly projectName: string;
  /** Absent: the project is what the containers' labels say, as for `compose -p NAME down` without a file. */
  readonly project?: Project | undefined;
  /** Files given by `--env-file`: they go into a label. */
  readonly envFiles?: readonly string[];
  /** Absent: what is missing cannot be pulled nor built. */
  readonly images?: ImageProvider;
  readonly progress?: Progress;
  /** Warnings in compose's words. */
  readonly warn?: (message: string) => void;
  /** Changes under way at the same time (`COMPOSE_PARALLEL_LIMIT`). */
  readonly parallel?: number;
  /** Asks the person; absent: the answer is no. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** What a hook (`post_start`, `pre_stop`) prints; absent: it runs unheard. */
  readonly hookOutput?: (container: StartedContainer, line: string) => void;
  /** The client's settings for containers: proxy variables of `~/.docker/config.json`. */
  readonly proxyEnvironment?: Readonly<Record<string, string>>;
  /** Credentials for `use_api_socket`: `{"auths": …}` as JSON; absent: an empty document. */
  readonly credentials?: () => Promise<string>;
}

interface Selection {
  /** Absent or empty: all. */
  readonly services?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CreateOptions extends Selection {
  /** What happens to containers of the services asked for whose configuration or image changed. Default `diverged`. */
  readonly recreate?: 'diverged' | 'force' | 'never';
  /** The same for services that these depend on (`--always-recreate-deps` is `force`). Default `diverged`. */
  readonly recreateDependencies?: 'diverged' | 'force' | 'never';
  /** `--scale`, by service. */
  readonly scale?: Readonly<Record<string, number>>;
  /** `--pull`: in place of `pull_policy`. */
  readonly pull?: 'always' | 'missing' | 'never' | 'if_not_present' | 'build';
  /** `true`: build before starting; `false` (`--no-build`): never build. Absent: build what is missing. */
  readonly build?: boolean;
  readonly removeOrphans?: boolean;
  /** Says nothing of orphans (`COMPOSE_IGNORE_ORPHANS`). */
  readonly ignoreOrphans?: boolean;
  /** `-V`: anonymous volumes are new instead of taken over. */
  readonly renewAnonVolumes?: boolean;
  /** Seconds, for containers that are replaced. */
  readonly timeout?: number;
  /**
   * For `create` before an `up` in the foreground: services that `update_config` wants replaced while they run are replaced, and
   * run afterwards.
   */
  readonly rollOut?: boolean;
  /** Answers yes to all questions (`-y`). */
  readonly assumeYes?: boolean;
}

export interface StartOptions extends Selection {
  /** Waits until everything is running or healthy. */
  readonly wait?: boolean;
  /** Seconds; 0 is without end. */
  readonly waitTimeout?: number;
  /** Called, and waited for, before each container starts: attach to it here and no output is missed. */
  readonly beforeStart?: (container: StartedContainer) => Promise<void>;
}

/** A container that is about to start. */
export interface StartedContainer {
  readonly id: string;
  readonly name: string;
  readonly service: string;
}

export interface UpOptions extends CreateOptions, StartOptions {}

export interface StopOptions extends Selection {
  /** Seconds; absent: each container's own. */
  readonly timeout?: number;
}

export interface DownOptions extends StopOptions {
  readonly removeOrphans?: boolean;
  /** Named volumes of the file and anonymous ones. */
  readonly volumes?: boolean;
  /** `local`: those without a name of the user's; `all`: every image a service uses. */
  readonly images?: 'local' | 'all';
}

export interface RestartOptions extends StopOptions {
  readonly noDeps?: boolean;
}

export interface KillOptions extends Selection {
  /** Default SIGKILL. */
  readonly signalName?: string;
  readonly removeOrphans?: boolean;
  /** Containers that do not run too. */
  readonly all?: boolean;
}

export interface RemoveOptions extends Selection {
  readonly force?: boolean;
  readonly volumes?: boolean;
}

export interface ListOptions extends Selection {
  /** Default: without one-off containers. */
  readonly oneOff?: 'exclude' | 'include' | 'only';
  /** Those that do not run too. */
  readonly all?: boolean;
}

/** `compose run`: how the one container differs from the service's. */
export interface OneOffOptions extends Selection {
  readonly service: string;
  readonly name?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  /** `NAME=value`, or `NAME` for the environment's. */
  readonly environment?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly autoRemove?: boolean;
  /** Aliases of the service's networks are the container's too. */
  readonly useAliases?: boolean;
  /** Publishes the ports of the service (`--service-ports`). */
  readonly servicePorts?: boolean;
  /** Further ports, in the long form. */
  readonly ports?: Service['ports'];
  readonly volumes?: Service['volumes'];
  readonly noDeps?: boolean;
  readonly pull?: CreateOptions['pull'];
  readonly build?: boolean;
  readonly removeOrphans?: boolean;
  readonly ignoreOrphans?: boolean;
}

/**
 * What a project is made to be. One runner, one project; its calls are not made at the same time.
 *
 * - Every call may be interrupted at any moment, by its signal or by the end of the process: the next `up` completes what
 *   it left, `down` clears it.
 * - Errors are `WharfError`s or the daemon's own; what went well before them stays. Compose's words where it has some.
 */
export interface Runner {
  /** The project: the one given, or what labels tell. Throws `not-found` when there are neither. */
  project(signal?: AbortSignal): Promise<Project>;
  observe(signal?: AbortSignal): Promise<Observed>;
  containers(options?: ListOptions): Promise<readonly ObservedContainer[]>;
  /** What `up` with these options would do now; nothing is changed, pulled or built. */
  plan(options?: UpOptions): Promise<Plan>;
  up(options?: UpOptions): Promise<void>;
  create(options?: CreateOptions): Promise<void>;
  start(options?: StartOptions): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
  restart(options?: RestartOptions): Promise<void>;
  kill(options?: KillOptions): Promise<readonly ObservedContainer[]>;
  pause(options?: Selection): Promise<void>;
  unpause(options?: Selection): Promise<void>;
  /** The stopped containers that `remove` would take, for the question before it. */
  removable(options?: Selection): Promise<readonly ObservedContainer[]>;
  remove(options?: RemoveOptions): Promise<void>;
  /** Answers `false` when there was nothing to remove. */
  down(options?: DownOptions): Promise<boolean>;
  scale(
    replicas: Readonly<Record<string, number>>,
    options?: { noDeps?: boolean; signal?: AbortSignal },
  ): Promise<void>;
  /** Brings up what the service depends on and creates its container, which is not started. */
  createOneOff(options: OneOffOptions): Promise<StartedContainer>;
}
