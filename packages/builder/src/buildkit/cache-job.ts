import { isDigest, WharfError } from '@wharf/kit';
import type { BuildRequest } from '../build.ts';
import { type CacheExport, type CacheImport, cacheExport, cacheImport } from '../cache-transfer/cache-options.ts';
import { writeCache } from '../cache-transfer/export-cache.ts';
import { inlineCache } from '../cache-transfer/inline-cache.ts';
import { type ReadCache, readCache } from '../cache-transfer/read-cache.ts';
import { type RemoteStep, RemoteSteps, type RemoteStepsDeps } from '../cache-transfer/remote-steps.ts';
import { StepRecorder } from '../cache-transfer/step-recorder.ts';
import type { RemoteContent } from '../interfaces.ts';
import type { Exporter } from '../result.ts';
import type { SolveObserver } from '../solver/solver.ts';
import type { ControlSolve } from './messages.ts';
import type { Progress } from './progress.ts';
import { sendBlob } from './session-content.ts';
import { sessionCredentials } from './session-credentials.ts';
import { sessionStore } from './session-store.ts';
import type { Session } from './sessions.ts';

/** What clients are told of a local cache; they write it into the layout's index. */
const MANIFEST_RESPONSE = 'cache.manifest';
/** Clients keep the stores of local caches under this and the directory. */
const LOCAL = 'local:';

/** The caches that one build reads and writes (`--cache-from`, `--cache-to`). */
export class CacheJob {
  readonly #session: Session;
  readonly #progress: Progress;
  readonly #imports: readonly CacheImport[];
  readonly #exports: readonly CacheExport[];
  readonly #recorder = new StepRecorder();
  #remote: RemoteSteps | undefined;

  /** Throws `invalid-argument` for kinds of caches that are not known. */
  constructor({ Cache }: ControlSolve, session: Session, progress: Progress) {
    this.#session = session;
    this.#progress = progress;
    this.#imports = (Cache?.Imports ?? []).map(cacheImport);
    this.#exports = (Cache?.Exports ?? []).map(cacheExport);
  }

  /** What a build's request says of caches. */
  get request(): Pick<BuildRequest, 'inlineCache' | 'remoteSteps'> {
    const isInline = this.#exports.some(({ kind }) => kind === 'inline');
    return {
      inlineCache: isInline ? inlineCache(this.#recorder) : undefined,
      remoteSteps: this.#imports.length === 0 ? undefined : (deps) => this.#read(deps),
    };
  }

  /** Notes the steps for caches that are written. */
  watch(observer: SolveObserver): SolveObserver {
    return this.#exports.length === 0 ? observer : this.#recorder.watch(observer);
  }

  /** What writes the caches; to come after the other exporters. */
  get exporters(): readonly Exporter[] {
    return this.#exports.flatMap((each) => (each.kind === 'inline' ? [] : [this.#exporter(each)]));
  }

  /** A cache that cannot be read is told of, and the build goes on. */
  async #read(deps: RemoteStepsDeps): Promise<RemoteSteps> {
    const steps = new Map<string, RemoteStep>();
    const read = await Promise.all(this.#imports.map((each) => this.#readOne(each, deps).catch(() => undefined)));
    deps.signal.throwIfAborted();
    // The first of them has the first word.
    for (const [key, step] of read.flatMap((each) => [...(each?.steps ?? [])]))
      if (!steps.has(key)) steps.set(key, step);
    const show = <T>(title: string, work: () => Promise<T>) => this.#progress.step(title, work);
    this.#remote = new RemoteSteps({ ...deps, show }, steps);
    return this.#remote;
  }

  async #readOne(from: CacheImport, deps: RemoteStepsDeps): Promise<ReadCache> {
    const name = from.kind === 'registry' ? from.reference : `${LOCAL}${from.digest}`;
    return this.#progress.step(`importing cache manifest from ${name}`, async (part) => {
      const read = await readCache(await this.#place(from, deps), deps);
      if (read.steps.size === 0 && read.foreign > 0) {
        await part(`${read.foreign} steps of another builder, which are of no use here`, () => Promise.resolve());
      }
      return read;
    });
  }

  #place(from: CacheImport, { images, signal }: RemoteStepsDeps): Promise<RemoteContent> | RemoteContent {
    if (from.kind === 'registry') {
      const credentials = sessionCredentials(this.#session);
      return images.remoteContent(from.reference, { credentials, insecure: from.insecure, signal });
    }
    if (!isDigest(from.digest)) throw new WharfError('invalid-argument', `"${from.digest}" is no digest`);
    return sessionStore(this.#session, `${LOCAL}${from.directory}`, from.digest, signal);
  }

  #exporter(to: Exclude<CacheExport, { readonly kind: 'inline' }>): Exporter {
    return async (result, tools) => {
      const write = () =>
        tools.step(`exporting cache to ${to.kind === 'local' ? 'client directory' : 'registry'}`, async (part) => {
          const { images, lease, signal } = tools;
          const from = { recorder: this.#recorder, remote: this.#remote };
          const written = await part('preparing build cache for export', () =>
            writeCache(result, from, to.form, tools),
          );
          const { target } = written;
          if (to.kind === 'registry') {
            const credentials = sessionCredentials(this.#session);
            const options = { byDigest: false, insecure: to.insecure, credentials, signal };
            await part(`writing cache manifest ${target.digest}`, () => images.push(target, to.reference, options));
            return {};
          }
          const { content } = images;
          for (const each of written.parts) {
            lease.keep(each.digest);
            await sendBlob(this.#session, `${LOCAL}${to.directory}`, each, { content, signal });
          }
          return { [MANIFEST_RESPONSE]: JSON.stringify(target) };
        });
      if (!to.ignoreError) return write();
      return write().catch(() => {
        tools.signal.throwIfAborted();
        // The step shows what was wrong.
        return {};
      });
    };
  }
}
