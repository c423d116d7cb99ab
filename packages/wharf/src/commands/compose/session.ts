import { resolve } from 'node:path';
import { loadProject, type LoadOptions } from '@wharf/compose/load/load-project';
import type { Project } from '@wharf/compose/model/project';
import type { ObservedContainer } from '@wharf/compose/plan/observed';
import { createRunner } from '@wharf/compose/run/create-runner';
import type { Runner, RunnerOptions } from '@wharf/compose/run/runner';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { warningLine } from './log-line.ts';
import type { ProgressView } from './progress/event.ts';
import { openProgress, runnerProgress } from './progress/view.ts';
import { PROJECT_FLAGS } from './project-flags.ts';
import { type Appearance, appearanceOf, type ProjectValues } from './settings.ts';

type ProjectLoad = Pick<LoadOptions, 'services' | 'select' | 'resolveEnvironment' | 'allResources'>;

interface RunnerParts {
  readonly project?: Project | undefined;
  readonly name: string;
  readonly view: ProgressView;
}

/** What all commands of `wharf compose` have in common: the project's flags, its files, its daemon, and how they show what they do. */
export class ComposeSession {
  readonly context: CliContext;
  readonly values: ProjectValues;
  readonly appearance: Appearance;

  /** Throws ExitError for project flags that make no sense. */
  constructor(context: CliContext<FlagTable>) {
    this.context = context;
    // The short forms (`wharf up`) have the project's flags among their own.
    const isShort = 'project-name' in context.flags;
    this.values = isShort ? (context.flags as unknown as ProjectValues) : context.groupFlags(PROJECT_FLAGS);
    this.appearance = appearanceOf(this.values, {
      env: process.env,
      isAnsiGiven: isShort ? context.given('ansi') : context.groupGiven('ansi'),
      outIsTerminal: context.out.isTerminal,
      errIsTerminal: context.err.isTerminal,
    });
    if (this.values.compatibility) {
      throw new ExitError(
        1,
        '--compatibility is not supported: names of containers have hyphens',
        'Leave it out; containers that docker-compose 1.29 made are brought up again by docker-compose.',
      );
    }
  }

  get signal(): AbortSignal {
    return this.context.signal;
  }

  client(): Promise<DockerClient> {
    return this.context.client();
  }

  readonly warn = (message: string): void => {
    const isTerminal = this.context.err.isTerminal;
    const coloured = this.appearance.colouredErr;
    this.context.err.write(warningLine(message, { isTerminal, coloured, now: new Date() }));
  };

  /** The project of the files. Throws what is wrong in them. */
  load(options: ProjectLoad = {}): Promise<Project> {
    const values = this.values;
    return loadProject({
      files: values.file,
      ...this.#given('projectDirectory', values['project-directory'] ?? values.workdir),
      ...this.#given('projectName', values['project-name']),
      profiles: values.profile,
      envFiles: this.envFiles,
      environment: process.env,
      cwd: process.cwd(),
      readStdin,
      allResources: values['all-resources'],
      warn: this.warn,
      signal: this.signal,
      ...options,
    });
  }

  /** `--env-file`, or COMPOSE_ENV_FILES; absolute. */
  get envFiles(): readonly string[] {
    const given = this.values['env-file'];
    const files = given.length > 0 ? given : (process.env['COMPOSE_ENV_FILES'] ?? '').split(',').filter(Boolean);
    return files.map((file) => resolve(file));
  }

  /**
   * The project, or only its name where `-p` alone was given: then the containers' labels say what it is. With COMPOSE_PROJECT_NAME a
   * file that is not there is no fault.
   */
  async projectOrName(
    services: readonly string[] = [],
    options: ProjectLoad = {},
  ): Promise<{ readonly project: Project | undefined; readonly name: string }> {
    const given = this.values['project-name'];
    if (this.values.file.length === 0 && given) return { project: undefined, name: given.toLowerCase() };
    try {
      const project = await this.load({ services, resolveEnvironment: false, ...options });
      return { project, name: project.name };
    } catch (error) {
      const name = process.env['COMPOSE_PROJECT_NAME'];
      if (name === undefined || name === '') throw error;
      return { project: undefined, name: name.toLowerCase() };
    }
  }

  /** The project's name, for commands to which its files are nothing. */
  async projectName(): Promise<string> {
    const given = this.values['project-name'] || process.env['COMPOSE_PROJECT_NAME'];
    if (given) return given.toLowerCase();
    return (await this.load({ resolveEnvironment: false })).name.toLowerCase();
  }

  /** A runner whose news go to `view`. */
  async runner({ project, name, view }: RunnerParts, more: Partial<RunnerOptions> = {}): Promise<Runner> {
    return createRunner({
      client: await this.client(),
      projectName: name.toLowerCase(),
      project,
      envFiles: this.envFiles,
      progress: runnerProgress(view),
      warn: this.warn,
      ...more,
    });
  }

  /** Shows what `work` does below `title`; the view's last picture stands when this resolves or rejects. */
  async withProgress<T>(title: string, work: (view: ProgressView) => Promise<T>): Promise<T> {
    const view = openProgress(this.context, this.appearance, { title, dryRun: this.values['dry-run'] });
    try {
      return await work(view);
    } finally {
      view.finish();
    }
  }

  /** The one container of a service that a command is about. Throws docker compose's sentence where there is none. */
  async container(
    service: string,
    options: { readonly index: number; readonly all: boolean; readonly oneOff: 'include' | 'exclude' },
  ): Promise<ObservedContainer> {
    const { findContainer } = await import('./find-container.ts');
    return findContainer(await this.client(), await this.projectName(), { service, ...options }, this.signal);
  }

  #given<K extends string>(key: K, value: string | undefined): { readonly [Key in K]?: string } {
    return (value === undefined || value === '' ? {} : { [key]: value }) as { readonly [Key in K]?: string };
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
