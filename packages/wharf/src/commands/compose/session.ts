import { resolve } from 'node:path';
import { currentDirectory } from '@wharf/compose/load/current-directory';
import type { LoadOptions } from '@wharf/compose/load/load-project';
import type { Project } from '@wharf/compose/model/project';
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

/** Commands that change nothing, with `--dry-run` at the latest. */
const WITHOUT_CHANGES: ReadonlySet<string> = new Set(
  'up config convert events images logs ls plan port ps stats top version volumes'.split(' '),
);

type ProjectLoad = Pick<
  LoadOptions,
  | 'services'
  | 'select'
  | 'resolveEnvironment'
  | 'allResources'
  | 'interpolate'
  | 'resolvePaths'
  | 'normalize'
  | 'checkConsistency'
>;

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
  /** `--dry-run`, before the verb or behind it. */
  readonly dryRun: boolean;

  /** Throws ExitError for project flags that make no sense. */
  constructor(context: CliContext<FlagTable>, appearance: Partial<Appearance> = {}) {
    this.context = context;
    // The short forms (`wharf up`) have the project's flags among their own.
    const isShort = 'project-name' in context.flags;
    this.values = isShort ? (context.flags as unknown as ProjectValues) : context.groupFlags(PROJECT_FLAGS);
    const settled = appearanceOf(this.values, {
      env: process.env,
      isAnsiGiven: isShort ? context.given('ansi') : context.groupGiven('ansi'),
      outIsTerminal: context.out.isTerminal,
      errIsTerminal: context.err.isTerminal,
    });
    this.appearance = { ...settled, ...appearance };
    this.dryRun = this.values['dry-run'] || ('dry-run' in context.flags && context.flags['dry-run'] === true);
    if (this.dryRun && !WITHOUT_CHANGES.has(context.commandPath.split(' ').at(-1) ?? '')) {
      throw new ExitError(
        1,
        `--dry-run is not supported by ${context.commandPath}: nothing was done`,
        '`up --dry-run` prints what would happen, and `plan` says why.',
      );
    }
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

  /** How many things may be done at a time; absent: any number. Throws ExitError for a variable that is no number. */
  get parallel(): number | undefined {
    const text = process.env['COMPOSE_PARALLEL_LIMIT'];
    if (text !== undefined && text !== '' && !/^-?\d+$/.test(text)) {
      throw new ExitError(1, `COMPOSE_PARALLEL_LIMIT must be an integer (found: ${JSON.stringify(text)})`);
    }
    const limit = this.values.parallel >= 0 || !text ? this.values.parallel : Number(text);
    return limit > 0 ? limit : undefined;
  }

  client(): Promise<DockerClient> {
    return this.context.client();
  }

  readonly warn = (message: string): void => {
    const isTerminal = this.context.err.isTerminal;
    const coloured = this.appearance.colouredErr;
    this.context.err.write(warningLine(message, { isTerminal, coloured, now: new Date() }));
  };

  readonly confirm = async (question: string): Promise<boolean> => {
    const { confirm } = await import('./confirm.ts');
    return confirm(this, question);
  };

  /** Says of files from elsewhere where they are kept, and asks about variables. */
  async announce(project: Project, isSure: boolean): Promise<void> {
    // Paths of this machine need none of it.
    if (!this.values.file.some((file) => /:|^github\.com\//.test(file))) return;
    const { announceRemote } = await import('./remote/announce.ts');
    await announceRemote(this, project, isSure);
  }

  /** The project of the files. Throws what is wrong in them. */
  async load(options: ProjectLoad = {}): Promise<Project> {
    const { loadProject } = await import('@wharf/compose/load/load-project');
    return loadProject(this.loadOptions(options));
  }

  /** What the project's flags and the process say about loading. */
  loadOptions(options: ProjectLoad = {}): LoadOptions {
    const values = this.values;
    return {
      files: values.file,
      ...this.#given('projectDirectory', values['project-directory'] ?? values.workdir),
      ...this.#given('projectName', values['project-name']),
      profiles: values.profile,
      envFiles: this.envFiles,
      environment: process.env,
      cwd: currentDirectory(process.env),
      readStdin,
      allResources: values['all-resources'],
      warn: this.warn,
      fetchRemote: async (reference) => {
        const { fetchRemote } = await import('./remote/fetch-remote.ts');
        return fetchRemote(reference, this.signal);
      },
      signal: this.signal,
      ...options,
    };
  }

  /** `--env-file`, or COMPOSE_ENV_FILES; absolute. */
  get envFiles(): readonly string[] {
    const given = this.values['env-file'];
    const files = given.length > 0 ? given : (process.env['COMPOSE_ENV_FILES'] ?? '').split(',').filter(Boolean);
    const here = currentDirectory(process.env);
    return files.map((file) => resolve(here, file));
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
    const { createRunner } = await import('@wharf/compose/run/create-runner');
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
    const view = openProgress(this.context, this.appearance, { title, dryRun: this.dryRun });
    try {
      return await work(view);
    } finally {
      view.finish();
    }
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
