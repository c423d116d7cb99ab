import { posix } from 'node:path';
import type { CommandLine, Instruction } from '../dockerfile/instructions/types.ts';
import type { LineRange } from '../dockerfile/location.ts';
import { didYouMean } from '../dockerfile/suggest.ts';
import { PatternList } from '../files/pattern-list.ts';
import type { Checks } from './checks.ts';

type Of<Kind extends Instruction['kind']> = Extract<Instruction, { readonly kind: Kind }>;

/** Words of a name that stand for something secret, and those that make the name harmless. */
const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const HARMLESS = /(?:_|^)(?:public|file|version)(?:_|$)/i;
/** Patterns of .dockerignore that leave nothing of the context. */
const EVERYTHING: ReadonlySet<string> = new Set(['*', '**', '**/*']);
/** Arguments that are switches of the builder, and no variables. */
const SWITCHES: ReadonlySet<string> = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

/** What can be told of a stage's instructions once its variables have their values. One per stage. */
export class StageChecks {
  readonly #checks: Checks;
  readonly #ignored: IgnoredSources | undefined;
  readonly #once = new Map<string, LineRange>();
  #here: Checks;
  #hasWorkdir: boolean;

  /**
   * @param ignored the patterns of .dockerignore
   * @param hasWorkdir a stage below this one has said where it works
   */
  constructor(checks: Checks, ignored: readonly string[], hasWorkdir: boolean) {
    this.#checks = checks;
    this.#here = checks;
    this.#ignored = ignored.length === 0 ? undefined : new IgnoredSources(ignored);
    this.#hasWorkdir = hasWorkdir;
  }

  get hasWorkdir(): boolean {
    return this.#hasWorkdir;
  }

  /** What follows is about this instruction. */
  begin(instruction: Instruction): void {
    this.#here = this.#checks.for(instruction.comments);
  }

  /** @param known every variable with a value; `declared` arguments may be without */
  undefinedVariables(
    unmatched: ReadonlySet<string>,
    known: ReadonlyMap<string, string>,
    declared: ReadonlySet<string>,
    location: LineRange,
  ): void {
    for (const name of unmatched) {
      if (SWITCHES.has(name) || declared.has(name)) continue;
      const text = `Usage of undefined variable '$${name}'${didYouMean(`$${name}`, withDollar(known.keys()))}`;
      this.#here.report('UndefinedVar', location, text);
    }
  }

  workdir({ path, location }: Of<'workdir'>): void {
    if (!this.#hasWorkdir && !path.startsWith('/')) {
      const text = `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`;
      this.#here.report('WorkdirRelativePath', location, text);
    }
    this.#hasWorkdir = true;
  }

  /** CMD, ENTRYPOINT and HEALTHCHECK: of several the last counts, and the one before is in vain. */
  once({ kind, keyword, location }: Instruction): void {
    const before = this.#once.get(kind);
    this.#once.set(kind, location);
    if (before === undefined) return;
    const text = `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`;
    this.#here.report('MultipleInstructionsDisallowed', before, text);
  }

  commandLine({ keyword, location, shellForm }: Of<'cmd' | 'entrypoint'> & CommandLine, shell: unknown): void {
    const hasShell = Array.isArray(shell) && shell.length > 0;
    if (!shellForm || hasShell) return;
    const text = `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`;
    this.#here.report('JSONArgsRecommended', location, text);
  }

  pairs({ kind, keyword, location, pairs }: Of<'env' | 'label'>): void {
    for (const { name, legacy } of pairs) {
      if (legacy) {
        const text = `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`;
        this.#here.report('LegacyKeyValueFormat', location, text);
      }
      if (kind === 'env') this.#secret('ENV', name, location);
    }
  }

  arg(name: string, location: LineRange): void {
    this.#secret('ARG', name, location);
  }

  port(word: string, protocol: string, hasHostPart: boolean, location: LineRange): void {
    if (protocol !== protocol.toLowerCase()) {
      const text = `Defined protocol '${word}' in EXPOSE instruction should be lowercase`;
      this.#here.report('ExposeProtoCasing', location, text);
    }
    if (hasHostPart) {
      const text = `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`;
      this.#here.report('ExposeInvalidFormat', location, text);
    }
  }

  /** Sources that are taken from the build context. */
  sources({ kind, sources, location }: Of<'add' | 'copy'>): void {
    for (const source of sources) {
      if (/^https?:\/\//.test(source)) continue;
      const cleaned = posix.normalize(source).replace(/(.)\/+$/, '$1');
      if (this.#ignored?.has(cleaned) !== true) continue;
      const verb = kind === 'add' ? 'Add' : 'Copy';
      const text = `Attempting to ${verb} file ${JSON.stringify(cleaned)} that is excluded by .dockerignore`;
      this.#here.report('CopyIgnoredFile', location, text);
    }
  }

  #secret(instruction: string, name: string, location: LineRange): void {
    if (!SECRET.test(name) || HARMLESS.test(name)) return;
    const text = `Do not use ARG or ENV instructions for sensitive data (${instruction} ${JSON.stringify(name)})`;
    this.#here.report('SecretsUsedInArgOrEnv', location, text);
  }
}

function* withDollar(names: Iterable<string>): Generator<string> {
  for (const name of names) yield `$${name}`;
}

/** Which sources .dockerignore surely leaves out. */
class IgnoredSources {
  readonly #list: PatternList;
  readonly #takesAll: boolean;

  constructor(patterns: readonly string[]) {
    this.#list = new PatternList(patterns);
    this.#takesAll = patterns.some((pattern) => EVERYTHING.has(pattern));
  }

  /** With exceptions in the list nothing is sure: a directory may be left out and a file in it not. */
  has(source: string): boolean {
    if (!this.#list.isFinal) return false;
    const isRoot = source === '.' || source === '/';
    return isRoot ? this.#takesAll : this.#list.matches(source);
  }
}
