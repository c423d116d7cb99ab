import type { Clock } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { placeOf } from '../ops/place.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { Attest, Attestation } from '../result.ts';
import { BuildCapture } from './capture.ts';
import { type AttestOptions, attestOptions, type ProvenanceOptions, type SbomOptions } from './options.ts';
import { type ProvenBuild, provenanceOf } from './provenance.ts';
import { sbomOf } from './sbom/scan.ts';
import { SCAN_CONTEXT, SCAN_STAGE, scanTargets, targetFileName } from './sbom/scan-targets.ts';

type AttestResult = Parameters<Attest>[0];
type AttestTools = Parameters<Attest>[1];

/** What the history keeps of every build that went well. */
const FOR_HISTORY: ProvenanceOptions = {
  ...{ mode: 'max', version: 'v1', reproducible: false, inlineOnly: false, filename: 'provenance.json' },
  builderId: '',
};

/** The version of the Dockerfile language that this front end understands. */
export const DOCKERFILE_VERSION = '1.20';

/** Makes the statements about one build's results. */
export class BuildStatements {
  /** To be told of what sources come to. */
  readonly capture = new BuildCapture();
  readonly #options: AttestOptions;
  readonly #attrs: Readonly<Record<string, string>>;
  readonly #dockerfile: ProvenBuild['dockerfile'];
  readonly #invocation: string;
  readonly #clock: Pick<Clock, 'nowNs'>;
  readonly #startedAtNs: bigint;

  /** Throws for statements that cannot be made. */
  constructor(
    build: Pick<ProvenBuild, 'attrs' | 'dockerfile' | 'invocation'> & { readonly clock: Pick<Clock, 'nowNs'> },
  ) {
    this.#options = attestOptions(build.attrs);
    this.#attrs = build.attrs;
    this.#dockerfile = build.dockerfile;
    this.#invocation = build.invocation;
    this.#clock = build.clock;
    this.#startedAtNs = build.clock.nowNs();
  }

  /** What the client wants stated. */
  get attest(): Attest {
    const { provenance, sbom } = this.#options;
    return async (result, tools) => [
      ...(sbom === undefined ? [] : await this.#packages(result, tools, sbom)),
      ...(provenance === undefined ? [] : [this.#provenance(result.plan, provenance)]),
    ];
  }

  /** How a result came to be, in full. */
  forHistory(plan: BuildPlan): Attestation {
    return this.#provenance(plan, FOR_HISTORY);
  }

  #provenance(plan: BuildPlan, options: ProvenanceOptions): Attestation {
    const build = {
      ...{ attrs: this.#attrs, dockerfile: this.#dockerfile, invocation: this.#invocation, plan },
      ...{ startedAtNs: this.#startedAtNs, finishedAtNs: this.#clock.nowNs(), dockerfileVersion: DOCKERFILE_VERSION },
      ingredients: this.capture.ingredients(plan),
    };
    return provenanceOf(build, options);
  }

  /** A list for the result and one for each stage that is to be scanned besides. */
  async #packages(
    { plan, tree, config }: AttestResult,
    { snapshots, signal }: AttestTools,
    { filename }: SbomOptions,
  ): Promise<readonly Attestation[]> {
    const { stage } = plan.target;
    const created = createdAt(this.#attrs['build-arg:SOURCE_DATE_EPOCH'], config.created);
    const about = { created, tool: 'wharf', signal };
    const name = `${stage.name}-${formatPlatform(plan.platform).replaceAll('/', '-')}`;
    const statements = [
      await sbomOf(placeOf(snapshots, { kind: 'tree', tree }), { ...about, name, fileName: filename }),
    ];
    for (const target of scanTargets(plan, this.#globals())) {
      const result = 'tree' in target ? this.capture.result(target.tree) : this.capture.context;
      // Nothing of it was needed, so it was not made.
      if (result === undefined) continue;
      const place = result.kind === 'directory' ? { directory: result.path } : placeOf(snapshots, result);
      const fileName = targetFileName(filename, target);
      statements.push(await sbomOf(place, { ...about, name: target.name, fileName }));
    }
    return statements;
  }

  /** Arguments of scanning that stand before the first FROM, or come from the client alone. */
  #globals(): ReadonlyMap<string, string> {
    const values = new Map<string, string>();
    for (const { args } of parseDockerfile(this.#dockerfile.text).globalArgs) {
      for (const { name, value } of args) if (value !== undefined) values.set(name, value);
    }
    for (const name of [SCAN_STAGE, SCAN_CONTEXT]) {
      const given = this.#attrs[`build-arg:${name}`];
      if (given !== undefined) values.set(name, given);
    }
    return values;
  }
}

/** RFC 3339 in whole seconds: what the client set for all times, else when the image was made. */
function createdAt(epoch: string | undefined, created: string | undefined): string {
  const ms = epoch !== undefined && /^\d{1,12}$/.test(epoch) ? Number(epoch) * 1000 : Date.parse(created ?? '');
  return new Date(Number.isNaN(ms) ? 0 : ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
