import { posix } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '@wharf/kit';
import { parseSignal } from '@wharf/linux/signals';
import type { Checks } from '../checks/checks.ts';
import { StageChecks } from '../checks/stage-checks.ts';
import type { AddInstruction, CopyInstruction, Instruction, RunInstruction } from '../dockerfile/instructions/types.ts';
import { DockerfileError, type LineRange, withLocation } from '../dockerfile/location.ts';
import { expand } from '../dockerfile/shell-words.ts';
import { MAX_STEPS_DEEP } from '../limits.ts';
import { checkEntitlements } from './entitlements.ts';
import { copyActions, copyHistory } from './evaluate-copy.ts';
import { stepMounts } from './evaluate-mount.ts';
import { classicRunHistory, runCommand, runHistory, scriptMount, withShell } from './evaluate-run.ts';
import { expandInstruction } from './expand-instruction.ts';
import type { GlobalArgs } from './global-args.ts';
import { healthcheckText, quotedList } from './history-text.ts';
import type { ImageDraft } from './image-draft.ts';
import { exposedPorts } from './ports.ts';
import type { EvaluatedStage, PlannedStage, PlannedStep } from './stage.ts';
import { StageNotes } from './stage-notes.ts';
import { stepTitle } from './step-title.ts';
import type { Base, FileVertex, ImageVertex } from './vertex.ts';

const REST_AFTER_MS = 5;

/** What a stage's instructions need from outside. */
export interface StageSurroundings {
  readonly escapeToken: string;
  readonly globals: GlobalArgs;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly proxies: readonly string[];
  readonly noCache: boolean;
  /** What the build is allowed beyond the usual. */
  readonly entitlements: ReadonlySet<string>;
  /** RUN is what Docker's classic builder makes of it. */
  readonly classic: boolean;
  /** The tree that `--from` or a mount's `from` names; the build context for an empty name. */
  readonly treeOf: (name: string, mountedAt?: string) => Promise<Base>;
  readonly checks: Checks;
  /** The patterns of .dockerignore; asked for only where a check needs them. */
  readonly ignorePatterns: () => Promise<readonly string[]>;
}

export interface StageStart {
  readonly tree: Base;
  readonly draft: ImageDraft;
  readonly variables: ReadonlyMap<string, string>;
  readonly buildArgs: readonly (readonly [string, string])[];
  /** A stage below has said where it works. */
  readonly hasWorkdir: boolean;
  /** How many steps there are below. */
  readonly depth: number;
  /** Undefined when the stage does not begin with an image. */
  readonly image: ImageVertex | undefined;
}

/**
 * Goes through a stage's instructions and turns them into vertices and an image configuration. Nothing runs. Throws a
 * DockerfileError with the instruction's lines.
 */
export async function evaluateStage(
  stage: PlannedStage,
  start: StageStart,
  surroundings: StageSurroundings,
): Promise<EvaluatedStage> {
  const reads = stage.instructions.some(({ kind }) => kind === 'add' || kind === 'copy');
  const ignored = reads ? await surroundings.ignorePatterns() : [];
  const evaluation = new Evaluation(stage, start, surroundings, ignored);
  let rested = performance.now();
  for (const instruction of stage.instructions) {
    // A long file must not keep the daemon from its other work.
    if (performance.now() - rested > REST_AFTER_MS) {
      await setImmediate();
      rested = performance.now();
    }
    try {
      await evaluation.apply(instruction);
    } catch (error) {
      throw withLocation(error, instruction.location);
    }
  }
  return evaluation.result();
}

class Evaluation {
  readonly #stage: PlannedStage;
  readonly #around: StageSurroundings;
  readonly #draft: ImageDraft;
  readonly #variables: Map<string, string>;
  readonly #buildArgs: (readonly [string, string])[];
  readonly #declared: Set<string>;
  readonly #steps: PlannedStep[] = [];
  readonly #checks: StageChecks;
  readonly #notes: StageNotes;
  readonly #image: ImageVertex | undefined;
  #depth: number;
  #tree: Base;
  #hasCommand = false;

  constructor(stage: PlannedStage, start: StageStart, surroundings: StageSurroundings, ignored: readonly string[]) {
    this.#stage = stage;
    this.#around = surroundings;
    this.#draft = start.draft;
    this.#tree = start.tree;
    this.#image = start.image;
    this.#depth = start.depth;
    this.#variables = new Map(start.variables);
    this.#buildArgs = [...start.buildArgs];
    this.#declared = new Set(start.buildArgs.map(([name]) => name));
    this.#checks = new StageChecks(surroundings.checks, ignored, start.hasWorkdir);
    this.#notes = new StageNotes(surroundings.globals.notes, stage.usedArgs);
  }

  result(): EvaluatedStage {
    return {
      stage: this.#stage,
      tree: this.#tree,
      draft: this.#draft,
      variables: this.#variables,
      buildArgs: this.#buildArgs,
      steps: this.#steps,
      image: this.#image,
      depth: this.#depth,
      notes: this.#notes,
      hasWorkdir: this.#checks.hasWorkdir,
    };
  }

  async apply(written: Instruction): Promise<void> {
    this.#checks.begin(written);
    const onUnset = (names: ReadonlySet<string>) => this.#unset(names, written.location);
    const instruction = expandInstruction(written, this.#variables, this.#around.escapeToken, onUnset);
    const before = this.#tree;
    await this.#dispatch(instruction);
    const makesTree = this.#tree !== before;
    if (makesTree) this.#depth += 1;
    if (this.#depth > MAX_STEPS_DEEP)
      throw new DockerfileError(`max depth exceeded: more than ${MAX_STEPS_DEEP} steps one on the other`);
    const text = written.code.trim();
    const title = makesTree ? stepTitle(written, this.#variables, this.#around.escapeToken) : text;
    const isTrigger = written.trigger === true;
    this.#steps.push({ text, title, location: written.location, result: this.#tree, makesTree, isTrigger });
  }

  #unset(names: ReadonlySet<string>, location: LineRange): void {
    this.#checks.undefinedVariables(names, this.#variables, this.#declared, location);
  }

  #expand(text: string, location: LineRange): string {
    const { text: result, unmatched } = expand(text, this.#variables, { escape: this.#around.escapeToken });
    if (unmatched.size > 0) this.#unset(unmatched, location);
    return result;
  }

  async #dispatch(instruction: Instruction): Promise<void> {
    switch (instruction.kind) {
      case 'run':
        return this.#run(instruction);
      case 'add':
      case 'copy':
        return this.#copy(instruction);
      case 'workdir':
        this.#workdir(instruction);
        return;
      case 'arg':
        this.#arg(instruction);
        return;
      case 'env':
        this.#env(instruction);
        return;
      default:
        this.#note(this.#configure(instruction));
        return;
    }
  }

  /** Instructions that touch the image's configuration only; returns what history says of each. */
  #configure(instruction: Exclude<Instruction, RunInstruction | AddInstruction | CopyInstruction>): string | undefined {
    const { config } = this.#draft;
    switch (instruction.kind) {
      case 'label':
        this.#checks.pairs(instruction);
        for (const { name, value } of instruction.pairs) this.#draft.setLabel(name, value);
        return `LABEL ${instruction.pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`;
      case 'cmd':
        this.#checks.once(instruction);
        this.#checks.commandLine(instruction, config.Shell);
        config.Cmd = withShell(instruction, instruction.words, config.Shell);
        // Nothing reads it on Linux, but every image of Docker's that has a CMD has it.
        config.ArgsEscaped = true;
        this.#hasCommand = true;
        return `CMD ${quotedList(config.Cmd)}`;
      case 'entrypoint':
        this.#checks.once(instruction);
        this.#checks.commandLine(instruction, config.Shell);
        config.Entrypoint = withShell(instruction, instruction.words, config.Shell);
        // A command of the base belongs to another program.
        if (!this.#hasCommand) delete config.Cmd;
        return `ENTRYPOINT ${quotedList(config.Entrypoint)}`;
      case 'expose': {
        const ports = exposedPorts(instruction.ports, (word, protocol, hasHostPart) =>
          this.#checks.port(word, protocol, hasHostPart, instruction.location),
        );
        this.#draft.expose(ports);
        return `EXPOSE [${ports.join(' ')}]`;
      }
      case 'healthcheck':
        this.#checks.once(instruction);
        config.Healthcheck = instruction.healthcheck;
        return `HEALTHCHECK ${healthcheckText(instruction.healthcheck)}`;
      case 'maintainer':
        this.#draft.author = instruction.maintainer;
        return `MAINTAINER ${instruction.maintainer}`;
      case 'onbuild':
        config.OnBuild = [...(config.OnBuild ?? []), instruction.expression];
        return undefined;
      case 'shell':
        config.Shell = instruction.shell;
        return `SHELL [${instruction.shell.join(' ')}]`;
      case 'stopsignal':
        checkSignal(instruction.signal);
        config.StopSignal = instruction.signal;
        return `STOPSIGNAL ${instruction.signal}`;
      case 'user':
        config.User = instruction.user;
        return `USER ${instruction.user}`;
      case 'volume':
        if (instruction.paths.includes('')) throw new DockerfileError('VOLUME specified can not be an empty string');
        this.#draft.addVolumes(instruction.paths);
        return `VOLUME [${instruction.paths.join(' ')}]`;
      default:
        throw new DockerfileError(`unsupported instruction ${instruction.keyword}`);
    }
  }

  #note(createdBy: string | undefined): void {
    if (createdBy !== undefined) this.#draft.commit(createdBy, false);
  }

  #env(instruction: Extract<Instruction, { readonly kind: 'env' | 'label' }>): void {
    this.#checks.pairs(instruction);
    for (const { name, value } of instruction.pairs) {
      this.#variables.set(name, value);
      this.#draft.setEnv(name, value);
    }
    this.#note(`ENV ${instruction.pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`);
  }

  #arg(instruction: Extract<Instruction, { readonly kind: 'arg' }>): void {
    const { buildArgs, globals } = this.#around;
    const { location } = instruction;
    const shown: string[] = [];
    for (const definition of instruction.args) {
      const { name, value: fallback } = definition;
      this.#checks.arg(name, location);
      const given = buildArgs.get(name);
      const inherited = given === undefined && fallback === undefined ? globals.values.get(name) : undefined;
      const own = given ?? (fallback === undefined ? undefined : this.#expand(fallback, location));
      const value = own ?? inherited;
      if (value !== undefined && !isSwitch(name)) this.#variables.set(name, value);
      const note = { ...definition, value: value ?? '', location, needs: new Set<string>() };
      this.#notes.arg(name, inherited === undefined ? note : undefined);
      this.#buildArgs.push([name, value ?? '']);
      this.#declared.add(name);
      shown.push(value === undefined ? name : `${name}=${value}`);
    }
    this.#note(`ARG ${shown.join(' ')}`);
  }

  #workdir(instruction: Extract<Instruction, { readonly kind: 'workdir' }>): void {
    const { config } = this.#draft;
    this.#checks.workdir(instruction);
    const path = posix.resolve('/', config.WorkingDir ?? '', instruction.path);
    config.WorkingDir = path;
    if (path !== '/') {
      const owner = config.User ?? '';
      this.#tree = this.#file([{ kind: 'mkdir', path, mode: 0o755, owner }], false, instruction.code);
    }
    this.#draft.commit(`WORKDIR ${path}`, path !== '/');
  }

  async #copy(instruction: AddInstruction | CopyInstruction): Promise<void> {
    const from = instruction.kind === 'copy' ? instruction.from : '';
    if (from === '') this.#checks.sources(instruction);
    const actions = copyActions(instruction, {
      workingDir: this.#draft.config.WorkingDir ?? '/',
      source: await this.#around.treeOf(from),
    });
    this.#tree = this.#file(actions, instruction.link, instruction.code);
    this.#draft.commit(copyHistory(instruction), true);
  }

  #file(actions: FileVertex['actions'], link: boolean, code: string): FileVertex {
    const { noCache } = this.#around;
    const { platform } = this.#draft;
    return { kind: 'file', base: this.#tree, actions, link, platform, noCache, name: code.trim() };
  }

  async #run(instruction: RunInstruction): Promise<void> {
    const { entitlements, buildArgs, treeOf, classic } = this.#around;
    checkEntitlements(instruction, entitlements);
    const { config } = this.#draft;
    const command = runCommand(instruction, config.Shell);
    const { script } = command;
    const args = classic && command.args.length === 0 ? (config.Cmd ?? []) : command.args;
    if (args.length === 0) throw new DockerfileError('arguments are required');
    const { location } = instruction;
    const mounts = await stepMounts(instruction.mountFlags, {
      ...{ location, treeOf, notes: this.#notes, workingDir: config.WorkingDir ?? '/' },
      cacheNamespace: buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') ?? '',
      expand: (word) => this.#expand(word, location),
    });
    if (script !== undefined) mounts.push(scriptMount(script));
    this.#tree = {
      kind: 'run',
      base: this.#tree,
      args,
      env: [...this.#variables].map(([name, value]) => `${name}=${value}`),
      hiddenEnv: this.#around.proxies.filter((entry) => !this.#variables.has(entry.slice(0, entry.indexOf('=')))),
      cwd: config.WorkingDir || '/',
      user: config.User ?? '',
      mounts,
      network: instruction.network,
      insecure: instruction.security === 'insecure',
      hostname: buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') ?? '',
      platform: this.#draft.platform,
      noCache: this.#around.noCache,
      name: instruction.code.trim(),
    };
    const text = classic
      ? classicRunHistory(command.args, this.#buildArgs, { variables: this.#variables, env: this.#draft.env })
      : runHistory(args, this.#buildArgs, this.#variables);
    this.#draft.commit(text, true);
  }
}

function checkSignal(signal: string): void {
  try {
    parseSignal(signal);
  } catch (error) {
    throw new DockerfileError(messageOf(error));
  }
}

/** Arguments that switch the builder and are no variables. */
function isSwitch(name: string): boolean {
  return name === 'BUILDKIT_SBOM_SCAN_CONTEXT' || name === 'BUILDKIT_SBOM_SCAN_STAGE';
}
