import { randomBytes } from 'node:crypto';
import { systemClock } from '@wharf/kit';
import { BuildStatements } from '../attestations/statements.ts';
import type { BuildOutcome } from '../build.ts';
import { Progress } from '../buildkit/progress.ts';
import { type RecordedBuild, recordBuild } from '../buildkit/record-build.ts';
import type { BuildHistory } from '../history/history.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { SolveObserver } from '../solver/solver.ts';

/** Has a build of the classic protocol recorded in the history, as BuildKit's clients see it there. */
export class ClassicRecord implements RecordedBuild {
  readonly progress: Progress;
  readonly statements: BuildStatements;
  outcome: BuildOutcome | undefined;
  readonly #recording: ReturnType<typeof recordBuild>;

  constructor(
    history: BuildHistory,
    build: {
      readonly attrs: Readonly<Record<string, string>>;
      readonly dockerfile: string;
      readonly names: readonly string[];
    },
  ) {
    const Ref = randomBytes(16).toString('hex');
    const filename = build.attrs['filename'] ?? 'Dockerfile';
    this.progress = new Progress(Ref);
    this.statements = new BuildStatements({
      ...{ attrs: {}, dockerfile: { filename, text: build.dockerfile }, invocation: Ref, clock: systemClock },
    });
    const Exporters = [{ Type: 'moby', Attrs: { name: build.names.join(',') } }];
    this.#recording = recordBuild(history, { Ref, Frontend: '', FrontendAttrs: build.attrs, Exporters }, this);
  }

  get response(): Readonly<Record<string, string>> {
    return this.outcome?.responses[0] ?? {};
  }

  /** An observer that is told what this one is to see, too. */
  watch(observer: SolveObserver, plan: BuildPlan): SolveObserver {
    this.progress.plan([plan]);
    const own = this.statements.capture.watch(this.progress);
    return {
      started: (vertex) => {
        own.started(vertex);
        observer.started(vertex);
      },
      output: (vertex, stream, chunk) => {
        own.output(vertex, stream, chunk);
        observer.output(vertex, stream, chunk);
      },
      done: (vertex, outcome) => {
        own.done(vertex, outcome);
        observer.done(vertex, outcome);
      },
    };
  }

  /** To be called once, with what the build failed with. */
  ended(error?: unknown): void {
    this.progress.finish();
    this.#recording.ended(error);
  }
}
