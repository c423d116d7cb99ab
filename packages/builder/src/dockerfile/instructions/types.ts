import type { NameValue } from '../ast.ts';
import type { Heredoc } from '../heredoc.ts';
import type { LineRange } from '../location.ts';
import type { RunMount } from './run-mount.ts';

interface Common {
  readonly location: LineRange;
  /** The logical line as written. */
  readonly code: string;
  /** The keyword as written. */
  readonly keyword: string;
  readonly comments: readonly string[];
  /** It came with the base, as an ONBUILD. */
  readonly trigger?: true;
}

/** An inline file of a COPY or ADD. */
export interface InlineFile {
  readonly name: string;
  readonly data: string;
  readonly expand: boolean;
}

export interface SourcesAndDestination {
  readonly sources: readonly string[];
  readonly inline: readonly InlineFile[];
  readonly destination: string;
}

/** What ADD and COPY share. */
interface Copying extends Common, SourcesAndDestination {
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface AddInstruction extends Copying {
  readonly kind: 'add';
  readonly keepGitDir: boolean | undefined;
  readonly checksum: string;
  readonly unpack: boolean | undefined;
}

export interface CopyInstruction extends Copying {
  readonly kind: 'copy';
  /** A stage's name or number, a named context or an image; empty for the build context. */
  readonly from: string;
  readonly parents: boolean;
}

/** A command line in shell form (one text that the shell gets) or exec form. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly shellForm: boolean;
  readonly heredocs: readonly Heredoc[];
}

export interface RunInstruction extends Common, CommandLine {
  readonly kind: 'run';
  /** `--mount` values as written; they are read again once variables are known. */
  readonly mountFlags: readonly string[];
  readonly mounts: readonly RunMount[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly devices: readonly string[];
}

export interface ArgDefinition {
  readonly name: string;
  /** Absent for `ARG name`. */
  readonly value: string | undefined;
  readonly description: string;
}

export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export type Instruction =
  | AddInstruction
  | CopyInstruction
  | RunInstruction
  | (Common & { readonly kind: 'arg'; readonly args: readonly ArgDefinition[] })
  | (Common & { readonly kind: 'env' | 'label'; readonly pairs: readonly NameValue[] })
  | (Common & CommandLine & { readonly kind: 'cmd' | 'entrypoint' })
  | (Common & { readonly kind: 'expose'; readonly ports: readonly string[] })
  | (Common & { readonly kind: 'healthcheck'; readonly healthcheck: Healthcheck })
  | (Common & { readonly kind: 'maintainer'; readonly maintainer: string })
  | (Common & { readonly kind: 'onbuild'; readonly expression: string })
  | (Common & { readonly kind: 'shell'; readonly shell: readonly string[] })
  | (Common & { readonly kind: 'stopsignal'; readonly signal: string })
  | (Common & { readonly kind: 'user'; readonly user: string })
  | (Common & { readonly kind: 'volume'; readonly paths: readonly string[] })
  | (Common & { readonly kind: 'workdir'; readonly path: string });

export interface FromInstruction extends Common {
  readonly kind: 'from';
  readonly base: string;
  /** Lower case; empty for a stage without one. */
  readonly name: string;
  /** As written. */
  readonly writtenName: string;
  readonly platform: string;
  readonly description: string;
}

/** A FROM with what follows it. */
export interface Stage {
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** A whole Dockerfile, understood but not evaluated: no variable has a value yet. */
export interface Dockerfile {
  readonly escape: string;
  /** The ARGs before the first FROM. */
  readonly globalArgs: readonly Extract<Instruction, { readonly kind: 'arg' }>[];
  readonly stages: readonly Stage[];
  readonly emptyContinuations: readonly number[];
}
