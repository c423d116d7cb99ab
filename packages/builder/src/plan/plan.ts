import { parseReference } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { checkBasePlatform, checkDefaultBases } from '../checks/check-from.ts';
import type { CheckOptions } from '../checks/check-options.ts';
import { Checks } from '../checks/checks.ts';
import { parseInstruction } from '../dockerfile/instructions/parse.ts';
import type { Dockerfile, Instruction } from '../dockerfile/instructions/types.ts';
import { DockerfileError, type LineRange, withLocation } from '../dockerfile/location.ts';
import { parseSyntax } from '../dockerfile/parser.ts';
import { didYouMean } from '../dockerfile/suggest.ts';
import { canonicalName } from './canonical-name.ts';
import { evaluateStage, type StageStart } from './evaluate-stage.ts';
import { readFromLine } from './from-line.ts';
import { automaticArgs, type GlobalArgs, globalArgs, proxyEnvironment } from './global-args.ts';
import { DEFAULT_PATH, environmentMap, ImageDraft } from './image-draft.ts';
import { asTree, type NamedSource } from './named-source.ts';
import type { EvaluatedStage, PlannedStage } from './stage.ts';
import { StageNotes } from './stage-notes.ts';
import type { Base, BaseImage, ContextVertex, ImageVertex } from './vertex.ts';

export interface PlanOptions {
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Stage to build; the last when absent. */
  readonly target?: string | undefined;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  /** What the build is allowed beyond the usual; the host's network alone when absent. */
  readonly entitlements?: ReadonlySet<string> | undefined;
  /** Stages whose steps do not come from the cache. */
  readonly noCacheStages?: readonly string[] | undefined;
  /** Finds an image to build on, pulling it when need be. */
  readonly resolveImage: (reference: string, platform: Platform) => Promise<BaseImage>;
  /** Puts an image that cannot be had into words; `names` are those that were meant, maybe. */
  readonly imageError?: ((reference: string, error: unknown, names: readonly string[]) => unknown) | undefined;
  /** What the client gave a name of a stage or an image; such names go before all others. */
  readonly namedSource?: (name: string, platform: Platform) => Promise<NamedSource | undefined>;
  /** Takes what could be better in the file. */
  readonly checks?: Checks | undefined;
  /** The patterns of the context's .dockerignore, for a check. */
  readonly ignorePatterns?: (() => Promise<readonly string[]>) | undefined;
  /** Every stage is looked at, needed or not. */
  readonly allStages?: boolean | undefined;
  /** RUN is what Docker's classic builder makes of it: one without words is the image's command, and its history is another. */
  readonly classic?: boolean | undefined;
}

export interface BuildPlan {
  /** The one it is built for. */
  readonly platform: Platform;
  readonly target: EvaluatedStage;
  /** The stages the target needs and the target itself, in the order of the file. */
  readonly stages: readonly EvaluatedStage[];
  /** No step comes from the cache. */
  readonly noCache: boolean;
  /** SOURCE_DATE_EPOCH, given or as the file has it before its first FROM. */
  readonly sourceDateEpoch: string | undefined;
  /** The file has one stage only. */
  readonly isSingle: boolean;
}

const CONTEXT: ContextVertex = { kind: 'context', context: 'context', name: '[internal] load build context' };
const SCRATCH = 'scratch';
const EPOCH = 'SOURCE_DATE_EPOCH';
const NO_CHECKS: CheckOptions = { skip: 'all', experimental: new Set(), error: false };
const DEFAULT_ENTITLEMENTS: ReadonlySet<string> = new Set(['network.host']);
const NO_ARGS: ReadonlyMap<string, string> = new Map();

/**
 * Turns a Dockerfile into the graph that builds one of its stages. Stages the target does not need are not looked at. Images that
 * stages build on are resolved on the way; nothing else happens.
 */
export async function planBuild(dockerfile: Dockerfile, options: PlanOptions): Promise<BuildPlan> {
  return new Planner(dockerfile, options).plan();
}

/** The stages that wait for the one being looked at. */
type Path = { readonly index: number; readonly below: Path } | undefined;

class Planner {
  readonly #dockerfile: Dockerfile;
  readonly #options: PlanOptions;
  readonly #globals: GlobalArgs;
  readonly #stages: readonly PlannedStage[];
  readonly #checks: Checks;
  readonly #stageChecks: readonly Checks[];
  readonly #done = new Map<number, Promise<EvaluatedStage>>();
  readonly #images = new Map<string, Promise<BaseImage>>();

  constructor(dockerfile: Dockerfile, options: PlanOptions) {
    this.#dockerfile = dockerfile;
    this.#options = options;
    const targetStage = options.target ?? dockerfile.stages.at(-1)?.from.name ?? '';
    const { checks = new Checks(NO_CHECKS), buildArgs } = options;
    const automatic = automaticArgs({ ...options, targetStage });
    checkDefaultBases(dockerfile.stages, defaultArgs(dockerfile, automatic), dockerfile.escape, checks);
    this.#globals = globalArgs(dockerfile, automatic, buildArgs);
    this.#checks = checks;
    this.#stages = dockerfile.stages.map((parsed, index) => ({
      parsed,
      index,
      name: parsed.from.name === '' ? `stage-${index}` : parsed.from.name,
      ...readFromLine(parsed.from, this.#globals, dockerfile.escape, checks),
      instructions: parsed.instructions,
    }));
    // Stages are evaluated side by side; what is found in them is told in the order of the file.
    this.#stageChecks = this.#stages.map(() => checks.part());
  }

  async plan(): Promise<BuildPlan> {
    const target = await this.#evaluate(this.#targetIndex(), undefined);
    if (this.#options.allStages === true) for (const { index } of this.#stages) await this.#evaluate(index, undefined);
    const { labels, buildArgs } = this.#options;
    for (const [name, value] of Object.entries(labels)) target.draft.setLabel(name, value);
    const done = await Promise.all(this.#done.values());
    this.#checks.assertClean();
    return {
      platform: this.#options.targetPlatform,
      target,
      noCache: this.#options.noCache,
      sourceDateEpoch: buildArgs.get(EPOCH) ?? this.#globals.values.get(EPOCH),
      isSingle: this.#stages.length === 1,
      stages: done.toSorted((left, right) => left.stage.index - right.stage.index),
    };
  }

  #targetIndex(): number {
    const wanted = this.#options.target;
    if (wanted === undefined || wanted === '') return this.#stages.length - 1;
    const found = this.#find(wanted, this.#stages.length);
    if (found !== undefined) return found;
    const names = this.#stages.map(({ name }) => name);
    throw new DockerfileError(`target stage ${JSON.stringify(wanted)} could not be found${didYouMean(wanted, names)}`);
  }

  /** The number of the last stage of that name before `limit`; a number names itself. */
  #find(name: string, limit: number): number | undefined {
    const lower = name.toLowerCase();
    for (let index = Math.min(limit, this.#stages.length) - 1; index >= 0; index -= 1) {
      if (this.#dockerfile.stages[index]?.from.name === lower) return index;
    }
    return /^\d+$/.test(name) && Number(name) < this.#stages.length ? Number(name) : undefined;
  }

  #evaluate(index: number, path: Path): Promise<EvaluatedStage> {
    const stage = this.#stages[index];
    if (stage === undefined) return Promise.reject(new DockerfileError(`invalid stage index ${index}`));
    if (isOn(path, index)) {
      // The instruction that closes the circle gives it its lines.
      return Promise.reject(new DockerfileError(`circular dependency detected on stage: ${stage.name}`));
    }
    let evaluated = this.#done.get(index);
    if (evaluated === undefined) {
      evaluated = this.#evaluateStage(stage, { index, below: path });
      this.#done.set(index, evaluated);
    }
    return evaluated;
  }

  async #evaluateStage(stage: PlannedStage, path: Path): Promise<EvaluatedStage> {
    const { name, location } = stage.parsed.from;
    const given = name === '' ? undefined : await this.#named(name, this.#platformOf(stage)).catch(rethrowAt(location));
    if (given !== undefined) {
      const notes = new StageNotes(this.#globals.notes, stage.usedArgs);
      return { stage, ...this.#startFrom(given), steps: [], notes };
    }
    const start = await this.#start(stage, path);
    const triggers = start.draft.config.OnBuild ?? [];
    delete start.draft.config.OnBuild;
    const instructions = [...triggers.flatMap((text) => this.#trigger(text, stage)), ...stage.instructions];
    return evaluateStage({ ...stage, instructions }, start, {
      escapeToken: this.#dockerfile.escape,
      globals: this.#globals,
      buildArgs: this.#options.buildArgs,
      proxies: proxyEnvironment(this.#options.buildArgs),
      noCache: this.#options.noCache || this.#isNoCache(stage.parsed.from.name),
      entitlements: this.#options.entitlements ?? DEFAULT_ENTITLEMENTS,
      classic: this.#options.classic === true,
      treeOf: (name, mountedAt) => this.#treeOf(name, path, mountedAt),
      checks: this.#stageChecks[stage.index] ?? this.#checks,
      ignorePatterns: this.#options.ignorePatterns ?? (() => Promise.resolve([])),
    });
  }

  async #start(stage: PlannedStage, path: Path): Promise<StageStart> {
    const base = this.#find(stage.baseName, stage.index);
    if (base !== undefined && !/^\d+$/.test(stage.baseName)) {
      const below = await this.#evaluate(base, path);
      const { tree, variables, buildArgs, hasWorkdir, depth } = below;
      return { tree, draft: below.draft.fork(), variables, buildArgs, hasWorkdir, depth, image: undefined };
    }
    const platform = this.#platformOf(stage);
    if (stage.baseName === SCRATCH) return withPath({ tree: undefined, draft: emptyImage(platform) });
    try {
      const given = await this.#named(stage.baseName, platform);
      if (given !== undefined) return this.#startFrom({ ...given, platform });
      const image = await this.#image(stage.baseName, platform);
      const { from } = stage.parsed;
      const checks = this.#stageChecks[stage.index] ?? this.#checks;
      checkBasePlatform({ ...from, base: stage.baseName }, platform, image.platform, checks);
      const tree = imageVertex(image);
      return withPath({ tree, draft: new ImageDraft(image.platform, structuredClone(image.config)) });
    } catch (error) {
      throw withLocation(error, stage.parsed.from.location);
    }
  }

  /** A name that the client gave a source of its own; platforms may have their own, too. */
  async #named(name: string, platform: Platform): Promise<(NamedSource & { readonly platform: Platform }) | undefined> {
    const given = await this.#options.namedSource?.(name, platform);
    if (given?.image === undefined) return given === undefined ? undefined : { platform, ...given };
    const image = await this.#image(given.image, platform);
    return { tree: imageVertex(image), config: image.config, platform: image.platform };
  }

  #startFrom({ tree, config, platform }: NamedSource & { readonly platform: Platform }): StageStart {
    const { noCache } = this.#options;
    return withPath({
      tree: asTree(tree, platform, noCache),
      draft: new ImageDraft(platform, structuredClone(config)),
    });
  }

  #isNoCache(name: string): boolean {
    return name !== '' && this.#options.noCacheStages?.some((each) => each.toLowerCase() === name) === true;
  }

  #platformOf(stage: PlannedStage): Platform {
    return stage.platform ?? this.#options.targetPlatform;
  }

  async #image(reference: string, platform: Platform): Promise<BaseImage> {
    const key = `${reference} ${JSON.stringify(platform)}`;
    let image = this.#images.get(key);
    if (image === undefined) {
      checkImageName(reference);
      image = this.#options.resolveImage(reference, platform).catch((error: unknown) => {
        const names = this.#stages.map(({ name }) => name);
        throw this.#options.imageError?.(reference, error, names) ?? error;
      });
      this.#images.set(key, image);
    }
    return image;
  }

  async #treeOf(name: string, path: Path, mountedAt: string | undefined): Promise<Base> {
    if (name === '') return CONTEXT;
    if (name.includes('$')) {
      throw new DockerfileError(
        'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
      );
    }
    if (name.toLowerCase() === 'context') return CONTEXT;
    const index = this.#find(name, this.#stages.length);
    if (index !== undefined) {
      const { tree } = await this.#evaluate(index, path);
      // Told after circles, which go through later stages too.
      if (path !== undefined && index > path.index) throw this.#tooEarly(name, path.index, mountedAt);
      return tree;
    }
    if (/^\d+$/.test(name)) throw new DockerfileError(`invalid from flag value ${name}: invalid stage index ${name}`);
    if (name === SCRATCH) return undefined;
    const given = await this.#named(name, this.#options.targetPlatform);
    if (given !== undefined) return given.tree;
    const image = await this.#image(name, this.#options.targetPlatform);
    return imageVertex(image);
  }

  #tooEarly(name: string, index: number, mountedAt: string | undefined): DockerfileError {
    const current = JSON.stringify(this.#stages[index]?.name ?? '');
    const stage = JSON.stringify(name);
    if (mountedAt === undefined) {
      return new DockerfileError(
        `cannot copy from stage ${stage}, it needs to be defined before current stage ${current}`,
      );
    }
    const target = JSON.stringify(mountedAt);
    return new DockerfileError(
      `cannot mount from stage ${stage} to ${target}, stage needs to be defined before current command`,
    );
  }

  /** An ONBUILD of the base, as an instruction of this stage. */
  #trigger(text: string, stage: PlannedStage): readonly Instruction[] {
    const { location } = stage.parsed.from;
    return parseSyntax(text).nodes.map((node) => {
      const instruction = parseInstruction({ ...node, location });
      if (instruction.kind === 'from') throw new DockerfileError("FROM isn't allowed as an ONBUILD trigger", location);
      return { ...instruction, trigger: true };
    });
  }
}

function checkImageName(name: string): void {
  try {
    parseReference(name);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new DockerfileError(`failed to parse stage name ${JSON.stringify(name)}: ${message}`);
  }
}

function emptyImage(platform: Platform): ImageDraft {
  const draft = new ImageDraft(platform);
  draft.config.WorkingDir = '/';
  return draft;
}

function imageVertex(image: BaseImage): ImageVertex | undefined {
  return image.diffIds.length === 0
    ? undefined
    : { kind: 'image', image, name: `FROM ${canonicalName(image.reference)}` };
}

function isOn(path: Path, index: number): boolean {
  for (let each = path; each !== undefined; each = each.below) if (each.index === index) return true;
  return false;
}

/** The global arguments of a build that is given none. A fault in them comes up again, with its lines, in a build. */
function defaultArgs(dockerfile: Dockerfile, automatic: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  try {
    return globalArgs(dockerfile, automatic, NO_ARGS).values;
  } catch {
    return automatic;
  }
}

/** Throws an error again, with the lines it lies on. */
function rethrowAt(location: LineRange) {
  return (error: unknown): never => {
    throw withLocation(error, location);
  };
}

/** A stage's start from an image: programs are found even where the image says nothing of PATH. */
function withPath({ tree, draft }: Pick<StageStart, 'tree' | 'draft'>): StageStart {
  if (!draft.env.has('PATH')) draft.setEnv('PATH', DEFAULT_PATH);
  return {
    tree,
    draft,
    variables: environmentMap(draft.config.Env ?? []),
    buildArgs: [],
    ...{ hasWorkdir: false, depth: 0, image: tree?.kind === 'image' ? tree : undefined },
  };
}
