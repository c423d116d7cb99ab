import type { FileObject, Model, Network, Volume } from './resources.ts';
import type { Service } from './service.ts';

/** What a set of Compose files says, settled: what `docker compose` calls the project. Never changed in place. */
export interface Project {
  readonly name: string;
  /** Absolute; relative paths of the files start here. */
  readonly workingDir: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly models: Readonly<Record<string, Model>>;
  /** The `x-` keys of the top level. */
  readonly extensions: Readonly<Record<string, unknown>>;
  /** Absolute; `-` for standard input. In the order they were merged. */
  readonly composeFiles: readonly string[];
  /** What variables are interpolated from, `.env` included. */
  readonly environment: Readonly<Record<string, string>>;
  /** Services that no active profile turns on. */
  readonly disabledServices: Readonly<Record<string, Service>>;
  /** Active profiles. */
  readonly profiles: readonly string[];
}
