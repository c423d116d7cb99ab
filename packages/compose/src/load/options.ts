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
  /**
   * Which services' `env_file`s are read into `environment`: of those that are kept (the default), of all enabled ones
   * (as `config` does), or none.
   */
  readonly resolveEnvironment?: 'selected' | 'all' | false;
  /** Forgets `label_file` once it is read, as `config` does; else it stays, and counts in the service's hash. */
  readonly discardLabelFiles?: boolean;
  /** Fetches what is not a local file (`oci://`, Git) and answers a local path; without it such a file is refused. */
  readonly fetchRemote?: (reference: string, options: { signal?: AbortSignal }) => Promise<string>;
  /** Called with each warning, in compose's words. */
  readonly warn?: (message: string) => void;
  readonly signal?: AbortSignal;
}
