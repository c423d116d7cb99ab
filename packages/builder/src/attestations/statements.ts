import type { Clock } from '@wharf/kit';
import type { BuildPlan } from '../plan/plan.ts';
import type { Attest, Attestation } from '../result.ts';
import { BuildCapture } from './capture.ts';
import { attestOptions, type ProvenanceOptions } from './options.ts';
import { type ProvenBuild, provenanceOf } from './provenance.ts';

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
  readonly #attrs: Readonly<Record<string, string>>;
  readonly #dockerfile: ProvenBuild['dockerfile'];
  readonly #invocation: string;
  readonly #clock: Pick<Clock, 'nowNs'>;
  readonly #startedAtNs: bigint;

  constructor(
    build: Pick<ProvenBuild, 'attrs' | 'dockerfile' | 'invocation'> & { readonly clock: Pick<Clock, 'nowNs'> },
  ) {
    this.#attrs = build.attrs;
    this.#dockerfile = build.dockerfile;
    this.#invocation = build.invocation;
    this.#clock = build.clock;
    this.#startedAtNs = build.clock.nowNs();
  }

  /** What the client wants stated. Throws where that cannot be. */
  get attest(): Attest {
    const { provenance } = attestOptions(this.#attrs);
    return async ({ plan }) => (provenance === undefined ? [] : [this.#provenance(plan, provenance)]);
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
}
