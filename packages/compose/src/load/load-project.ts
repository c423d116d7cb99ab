import type { Project } from '../model/project.ts';

/** What to load, and from where. Everything a process would look up itself comes in here. */
export interface LoadOptions {
  /** `-f`: paths or `-`. Empty: `COMPOSE_FILE`, else `compose.yaml` and its kin in the directory or above it. */
  readonly files?: readonly string[];
  /** `--project-directory`. */
  readonly projectDirectory?: string;
  /** `-p`. */
  readonly projectName?: string;
  /** `--profile`; empty: `COMPOSE_PROFILES`. */
  readonly profiles?: readonly string[];
  /** `--env-file`; empty: `COMPOSE_ENV_FILES`, else `.env` of the project directory. */
  readonly envFiles?: readonly string[];
  /** The process's variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The process's working directory. */
  readonly cwd: string;
  /** Reads standard input for the file `-`. */
  readonly readStdin?: () => Promise<string>;
  /** Services asked for by name: their profiles become active, and only they and what they depend on are kept. */
  readonly services?: readonly string[];
  /** How services that are asked for by name pull in others. Default `dependencies`. */
  readonly select?: 'dependencies' | 'dependents' | 'none';
  /** Keeps networks, volumes, configs and secrets that no active service uses (`--all-resources`). */
  readonly allResources?: boolean;
  readonly interpolate?: boolean;
  readonly normalize?: boolean;
  readonly resolvePaths?: boolean;
  readonly checkConsistency?: boolean;
  /** Reads `env_file`s into `environment`. Default true. */
  readonly resolveEnvironment?: boolean;
  /** Fetches what is not a local file (`oci://`, Git) and answers a local path; without it such a file is refused. */
  readonly fetchRemote?: (reference: string, options: { signal?: AbortSignal }) => Promise<string>;
  /** Called with each warning, in compose's words. */
  readonly warn?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Loads Compose files into a project: the one way in.
 *
 * Throws `invalid-argument` for what is wrong in a file (compose's words first, then `file:line:column` and a
 * suggestion in `hint`), `not-found` for a file that is not there.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
  void options;
  throw new Error('not there yet');
}
