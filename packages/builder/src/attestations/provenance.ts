import { formatRfc3339Nano, redact } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, hostPlatform } from '@wharf/oci/spec/platform';
import type { BuildPlan } from '../plan/plan.ts';
import type { Attestation } from '../result.ts';
import type { Ingredients, Material } from './capture.ts';
import { type LowLevelStep, lowLevelSteps } from './low-level.ts';
import type { ProvenanceOptions } from './options.ts';

/** A build as provenance tells of it. */
export interface ProvenBuild {
  /** What the client asked the front end for. */
  readonly attrs: Readonly<Record<string, string>>;
  readonly dockerfile: { readonly filename: string; readonly text: string };
  /** The build's reference. */
  readonly invocation: string;
  readonly startedAtNs: bigint;
  readonly finishedAtNs: bigint;
  readonly dockerfileVersion: string;
  readonly plan: BuildPlan;
  readonly ingredients: Ingredients;
}

export const PROVENANCE_V1 = 'https://slsa.dev/provenance/v1';
export const PROVENANCE_V02 = 'https://slsa.dev/provenance/v0.2';
const BUILD_TYPE_V1 = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md';
const BUILD_TYPE_V02 = 'https://mobyproject.org/buildkit@v1';

/** Attributes that say something of the host or are said elsewhere. */
const LEFT_OUT = ['cgroup-parent', 'image-resolve-mode', 'platform', 'cache-imports', 'context', 'filename'];

/** How a result came to be (SLSA provenance, https://slsa.dev/spec/v1.0/provenance; BuildKit, slsa-definitions.md). */
export function provenanceOf(build: ProvenBuild, options: ProvenanceOptions): Attestation {
  const facts = factsOf(build, options);
  const isV1 = options.version === 'v1';
  return {
    predicateType: isV1 ? PROVENANCE_V1 : PROVENANCE_V02,
    predicate: isV1 ? predicateV1(facts) : predicateV02(facts),
    ...(options.inlineOnly ? {} : { fileName: options.filename }),
  };
}

/** What both versions say, each in its own words. */
interface Facts {
  readonly builderId: string;
  readonly configSource: { readonly uri?: string; readonly digest?: Material['digest']; readonly path?: string };
  readonly request: object;
  readonly requestIsWhole: boolean;
  readonly materials: readonly Material[];
  readonly materialsAreWhole: boolean;
  readonly platform: string;
  readonly dockerfileVersion: string;
  readonly buildConfig: object | undefined;
  readonly buildkit: object;
  readonly hermetic: boolean;
  readonly reproducible: boolean;
  /** Empty where nothing of the run is to be said. */
  readonly run: { readonly id?: string; readonly startedOn?: string; readonly finishedOn?: string };
}

function factsOf(build: ProvenBuild, options: ProvenanceOptions): Facts {
  const { attrs, ingredients, plan } = build;
  const isMax = options.mode === 'max';
  const steps = isMax ? lowLevelSteps(plan.target.tree) : [];
  const { args, isWhole } = requestArgs(attrs, isMax);
  const vcs = Object.fromEntries(withPrefix(attrs, 'vcs:').map(([key, value]) => [key, redact(value)]));
  const { secrets, agents } = ingredients;
  const locals = (attrs['context'] ?? '') === '' ? withDefinition(ingredients.locals) : ingredients.locals;
  const optionally = ({ id, optional }: { readonly id: string; readonly optional: boolean }) =>
    optional ? { id, optional } : { id };
  return {
    builderId: options.builderId,
    configSource: configSource(attrs, ingredients.materials),
    request: {
      frontend: 'dockerfile.v0',
      ...(Object.keys(args).length > 0 ? { args } : {}),
      ...(isMax && secrets.length > 0 ? { secrets: secrets.map(optionally) } : {}),
      ...(isMax && agents.length > 0 ? { ssh: agents.map(optionally) } : {}),
      ...(locals.length > 0 ? { locals: locals.map((name) => ({ name })) } : {}),
    },
    requestIsWhole: isWhole,
    materials: ingredients.materials,
    // What a client's directory held is not written down.
    materialsAreWhole: locals.length === 0,
    platform: formatPlatform(hostPlatform()),
    dockerfileVersion: build.dockerfileVersion,
    buildConfig: isMax ? buildConfig(steps, plan.platform) : undefined,
    buildkit: {
      ...(Object.keys(vcs).length > 0 ? { vcs } : {}),
      ...(isMax ? { source: sourceMap(build, steps) } : {}),
    },
    hermetic: locals.length === 0 && !ingredients.hasNetwork,
    reproducible: options.reproducible,
    run: options.inlineOnly ? {} : runOf(build),
  };
}

function runOf({ invocation, startedAtNs, finishedAtNs }: ProvenBuild): Facts['run'] {
  const [startedOn, finishedOn] = [formatRfc3339Nano(startedAtNs), formatRfc3339Nano(finishedAtNs)];
  return { id: invocation, startedOn, finishedOn };
}

function predicateV1(facts: Facts): object {
  const { run } = facts;
  return {
    buildDefinition: {
      buildType: BUILD_TYPE_V1,
      externalParameters: { configSource: facts.configSource, request: facts.request },
      internalParameters: {
        ...(facts.buildConfig === undefined ? {} : { buildConfig: facts.buildConfig }),
        builderPlatform: facts.platform,
        dockerfileVersion: facts.dockerfileVersion,
      },
      resolvedDependencies: facts.materials,
    },
    runDetails: {
      builder: { id: facts.builderId },
      metadata: {
        ...(run.id === undefined ? {} : { invocationId: run.id }),
        ...(run.startedOn === undefined ? {} : { startedOn: run.startedOn, finishedOn: run.finishedOn }),
        buildkit_metadata: facts.buildkit,
        ...(facts.hermetic ? { buildkit_hermetic: true } : {}),
        buildkit_completeness: { request: facts.requestIsWhole, resolvedDependencies: facts.materialsAreWhole },
        ...(facts.reproducible ? { buildkit_reproducible: true } : {}),
      },
    },
  };
}

function predicateV02(facts: Facts): object {
  const { run } = facts;
  const { uri, digest, path } = facts.configSource;
  return {
    builder: { id: facts.builderId },
    buildType: BUILD_TYPE_V02,
    materials: facts.materials,
    invocation: {
      configSource: {
        ...(uri === undefined ? {} : { uri }),
        ...(digest === undefined ? {} : { digest }),
        entryPoint: path,
      },
      parameters: facts.request,
      environment: { platform: facts.platform, dockerfileVersion: facts.dockerfileVersion },
    },
    ...(facts.buildConfig === undefined ? {} : { buildConfig: facts.buildConfig }),
    metadata: {
      ...(run.id === undefined ? {} : { buildInvocationID: run.id }),
      ...(run.startedOn === undefined ? {} : { buildStartedOn: run.startedOn, buildFinishedOn: run.finishedOn }),
      completeness: { parameters: facts.requestIsWhole, environment: true, materials: facts.materialsAreWhole },
      reproducible: facts.reproducible,
      'https://mobyproject.org/buildkit@v1#metadata': facts.buildkit,
      ...(facts.hermetic ? { 'https://mobyproject.org/buildkit@v1#hermetic': true } : {}),
    },
  };
}

function configSource(attrs: Readonly<Record<string, string>>, materials: readonly Material[]): Facts['configSource'] {
  const remote = redact(attrs['context'] ?? '');
  const digest = materials.find(({ uri }) => uri === remote)?.digest;
  return {
    ...(remote === '' ? {} : { uri: remote }),
    ...(digest === undefined ? {} : { digest }),
    path: attrs['filename'] || 'Dockerfile',
  };
}

function requestArgs(
  attrs: Readonly<Record<string, string>>,
  isMax: boolean,
): { readonly args: Readonly<Record<string, string>>; readonly isWhole: boolean } {
  const sorted = Object.entries(attrs).sort(([one], [other]) => (one < other ? -1 : 1));
  const said = sorted.filter(
    ([key]) => !LEFT_OUT.includes(key) && !key.startsWith('attest:') && !key.startsWith('vcs:'),
  );
  const open = said.filter(([key]) => isMax || !(key.startsWith('build-arg:') || key.startsWith('label:')));
  const args = Object.fromEntries(open.map(([key, value]) => [key, redact(value)]));
  return { args, isWhole: open.length === said.length };
}

/** The steps as BuildKit writes them down, and the last one, which stands for the result. */
function buildConfig(steps: readonly LowLevelStep[], platform: Platform): object {
  const { os, architecture, variant } = platform;
  const on = { Architecture: architecture, OS: os, ...(variant === undefined ? {} : { Variant: variant }) };
  const definition = steps.map(({ op, inputs }, index) => ({
    id: `step${index}`,
    op: { Op: { [op.kind]: op.body }, platform: on, constraints: {} },
    ...(inputs.length > 0 ? { inputs: inputs.map((input) => `step${input}:0`) } : {}),
  }));
  const last =
    steps.length === 0 ? [] : [{ id: `step${steps.length}`, op: { Op: null }, inputs: [`step${steps.length - 1}:0`] }];
  return {
    llbDefinition: [...definition, ...last],
    digestMapping: Object.fromEntries(steps.map(({ digest }, index) => [digest, `step${index}`])),
  };
}

/** The Dockerfile, and which of its lines each step comes from. */
function sourceMap({ dockerfile, plan }: ProvenBuild, steps: readonly LowLevelStep[]): object {
  const lines = new Map(
    plan.stages.flatMap((stage) =>
      stage.steps.flatMap(({ result, makesTree, location }) =>
        makesTree && result !== undefined ? [[result, location] as const] : [],
      ),
    ),
  );
  for (const { image, stage } of plan.stages) if (image !== undefined) lines.set(image, stage.parsed.from.location);
  const locations = steps.flatMap(({ vertex }, index) => {
    const at = lines.get(vertex);
    if (at === undefined) return [];
    const ranges = [{ start: { line: at.start }, end: { line: at.end } }];
    return [[`step${index}`, { locations: [{ ranges }] }] as const];
  });
  const data = Buffer.from(dockerfile.text).toString('base64');
  return {
    ...(locations.length > 0 ? { locations: Object.fromEntries(locations) } : {}),
    infos: [{ filename: dockerfile.filename, language: 'Dockerfile', data }],
  };
}

/** The Dockerfile is the client's, too, and its .dockerignore is looked for in the context. */
function withDefinition(locals: readonly string[]): readonly string[] {
  return [...new Set([...locals, 'context', 'dockerfile'])].sort();
}

function withPrefix(attrs: Readonly<Record<string, string>>, prefix: string): readonly (readonly [string, string])[] {
  const sorted = Object.entries(attrs).sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.flatMap(([key, value]) =>
    key.startsWith(prefix) && value !== '' ? [[key.slice(prefix.length), value] as const] : [],
  );
}
