import { Readable } from 'node:stream';
import type { StatusMessage } from '@wharf/builder/buildkit/messages';
import { LineSplitter } from '@wharf/compose/logs/line-splitter';
import type { Project } from '@wharf/compose/model/project';
import type { BuildRequest } from '@wharf/compose/run/images';
import { WharfError } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { questionOf } from '../../../build/attributes.ts';
import { openInputs } from '../../../build/inputs/inputs.ts';
import { BuildModel } from '../../../build/model.ts';
import { openView, type ViewKind } from '../../../build/open-view.ts';
import { failureReport } from '../../../build/report.ts';
import { imageIdOf, printAnswer } from '../../../build/result.ts';
import { buildImage, planBuild } from '../../../build/run-build.ts';
import { paints } from '../../../build/view/paint.ts';
import { PlainView } from '../../../build/view/plain.ts';
import type { View } from '../../../build/view/view.ts';
import { ExitError } from '../../../cli/errors.ts';
import { DockerConfig } from '../../../client-config/docker-config.ts';
import type { ComposeSession } from '../session.ts';
import type { ProgressMode } from '../settings.ts';
import {
  type BuildTarget,
  contextServices,
  type ServiceBuildFlags,
  serviceBuildValues,
  targetOf,
} from './service-values.ts';

export interface BuildSurroundings {
  readonly session: ComposeSession;
  readonly project: Project;
  readonly flags: ServiceBuildFlags & { readonly quiet?: boolean };
  /** Where the build's view goes, line by line; absent: to standard error, drawn where that is a terminal. */
  readonly onLine?: ((line: string) => void) | undefined;
}

const KINDS: Readonly<Record<ProgressMode, ViewKind>> = {
  live: 'tty',
  plain: 'plain',
  json: 'rawjson',
  quiet: 'quiet',
};

/**
 * Builds services at the same time, in one view; those whose contexts are other services' images after these. Answers the ids by the
 * images' names. Throws ExitError with what failed as `wharf build` reports it.
 */
export async function buildServices(
  surroundings: BuildSurroundings,
  requests: readonly Pick<BuildRequest, 'name' | 'service'>[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const { session, project } = surroundings;
  const targets = requests.flatMap(({ name, service }) => targetOf(project, name, service) ?? []);
  const shared = new BuildModel();
  const view = openShared(surroundings, shared, targets);
  // One that fails ends the others.
  const failure = new AbortController();
  const builder = new Builder({
    ...{ surroundings, targets, shared, view, client: await session.client(), failure },
    signal: AbortSignal.any([signal, failure.signal]),
  });
  try {
    const ids = await Promise.all(targets.map((target) => builder.build(target)));
    view.finish('done');
    return new Map(targets.map(({ image }, at) => [image, ids[at] ?? '']));
  } catch (error) {
    view.finish(signal.aborted ? 'cancelled' : 'failed');
    if (signal.aborted) throw signal.reason;
    throw failure.signal.aborted ? failure.signal.reason : error;
  }
}

function openShared(
  { session, flags, onLine }: BuildSurroundings,
  model: BuildModel,
  targets: readonly BuildTarget[],
): View {
  const isQuiet = flags.quiet === true;
  if (onLine !== undefined && !isQuiet) {
    const splitter = new LineSplitter((line) => onLine(line.toString()));
    return new PlainView({ model, explain: false, write: (text) => splitter.push(Buffer.from(text)) });
  }
  const wanted = KINDS[session.appearance.progress];
  const kind = isQuiet ? 'quiet' : wanted === 'tty' && !session.context.err.isTerminal ? 'plain' : wanted;
  const title = targets.map(({ name }) => name).join(', ');
  return openView(kind, { model, explain: false, title, coloured: session.appearance.colouredErr });
}

interface BuilderParts {
  readonly surroundings: BuildSurroundings;
  readonly targets: readonly BuildTarget[];
  readonly shared: BuildModel;
  readonly view: View;
  readonly client: DockerClient;
  readonly failure: AbortController;
  readonly signal: AbortSignal;
}

class Builder {
  readonly #parts: BuilderParts;
  readonly #config = new DockerConfig();
  readonly #started = new Map<string, Promise<string>>();

  constructor(parts: BuilderParts) {
    this.#parts = parts;
  }

  /** Builds a target once, after those whose images it needs. */
  build(target: BuildTarget): Promise<string> {
    const known = this.#started.get(target.name);
    if (known !== undefined) return known;
    const building = this.#afterOthers(target);
    building.catch(() => undefined);
    this.#started.set(target.name, building);
    return building;
  }

  async #afterOthers(target: BuildTarget): Promise<string> {
    const { targets, failure, signal } = this.#parts;
    const needed = contextServices(target.build);
    await Promise.all(targets.filter(({ name }) => needed.includes(name)).map((each) => this.build(each)));
    signal.throwIfAborted();
    try {
      return await this.#run(target);
    } catch (error) {
      if (!failure.signal.aborted) failure.abort(error);
      throw error;
    }
  }

  async #run(target: BuildTarget): Promise<string> {
    const { surroundings, client, signal } = this.#parts;
    const { project, flags, session } = surroundings;
    const { env } = process;
    const values = serviceBuildValues(project, target, flags);
    const { isTerminal } = session.context.out;
    const plan = planBuild(values, { env, proxies: this.#config.proxyArguments(client.host), isTerminal });
    const { context = '.', dockerfile_inline: inline } = target.build;
    using inputs = await openInputs({
      ...{ context, file: values.file, namedContexts: values['build-context'] },
      stdin: inline === undefined ? process.stdin : Readable.from([Buffer.from(inline)]),
    });
    const model = new BuildModel();
    const work = { values, inputs, plan, config: this.#config, model, view: this.#viewOf(target), signal };
    try {
      const solved = await buildImage(client, work);
      const question = questionOf(values);
      if (question === undefined) return await imageIdOf(client, solved);
      printAnswer(question, solved, (text) => session.context.out.write(text));
      return '';
    } catch (error) {
      if (signal.aborted || !(error instanceof WharfError)) throw error;
      const { err } = session.context;
      const report = failureReport(error, {
        ...{ model, dockerfile: inputs.dockerfile, hadShell: true },
        paint: paints(session.appearance.colouredErr),
        columns: err.columns ?? 80,
      });
      throw new ExitError(1, `${report.trimEnd()}\n\nThe image of service "${target.name}" could not be built`);
    }
  }

  /** Shows a build among the others: with several, steps say whose they are. */
  #viewOf({ name }: BuildTarget): View {
    const { targets, shared, view } = this.#parts;
    return {
      update: (_changes, message) => {
        const told = targets.length > 1 ? prefixed(name, message) : message;
        view.update(shared.update(told), told);
      },
      finish: () => undefined,
    };
  }
}

/** A message about one of several builds: two of them may have the same steps, and each has its own. */
export function prefixed(name: string, message: StatusMessage): StatusMessage {
  const mine = (digest: string): string => `${name} ${digest}`;
  return {
    ...message,
    vertexes: (message.vertexes ?? []).map((vertex) => ({
      ...vertex,
      digest: mine(vertex.digest),
      name:
        vertex.name === ''
          ? ''
          : vertex.name.startsWith('[')
            ? `[${name} ${vertex.name.slice(1)}`
            : `[${name}] ${vertex.name}`,
    })),
    statuses: (message.statuses ?? []).map((status) => ({ ...status, vertex: mine(status.vertex) })),
    logs: (message.logs ?? []).map((log) => ({ ...log, vertex: mine(log.vertex) })),
  };
}
