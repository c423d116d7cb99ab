import { isKind, parseReference, WharfError } from '@wharf/kit';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { UsageError } from '../cli/errors.ts';
import { DockerConfig } from '../client-config/docker-config.ts';
import { annotationAttributes, entitlementsOf, frontendAttributes, questionOf } from './attributes.ts';
import type { BuildValues } from './build-values.ts';
import { planCaches } from './cache-options.ts';
import { ClientSteps } from './client-steps.ts';
import { type Inputs, openInputs } from './inputs/inputs.ts';
import { parseAgents, parseSecrets } from './loans.ts';
import { BuildModel } from './model.ts';
import { openView, viewKind } from './open-view.ts';
import { type Outputs, planOutputs } from './outputs.ts';
import { pushImage } from './push.ts';
import { failureReport, warningReport } from './report.ts';
import { forgetFile, imageIdOf, metadataOf, printAnswer, updateLayouts, writeMetadata } from './result.ts';
import { startAgents } from './session/key-agent.ts';
import { openSession } from './session/session.ts';
import { openControl, type Solved, type SolveHooks, solve } from './solve.ts';
import { Transfers } from './transfers.ts';
import { paints } from './view/paint.ts';
import { duration } from './view/text.ts';
import type { View } from './view/view.ts';

const CANCELLED_STATUS = 130;

/** `wharf build`: returns the exit status. Throws UsageError for a line that makes no sense. */
export async function runBuild(daemon: DockerClient, values: BuildValues, context: string): Promise<number> {
  const { env, stdout, stderr } = process;
  checkTogether(values, context);
  const question = questionOf(values);
  const kind = viewKind({ progress: values.progress, quiet: values.quiet === true }, env, stderr.isTTY === true);
  const config = new DockerConfig(env);
  const plan = planBuild(values, {
    env,
    proxies: config.proxyArguments(daemon.host),
    isTerminal: stdout.isTTY === true,
  });
  forgetFile(values.iidfile);
  using inputs = await openInputs({
    ...{ context, file: values.file, namedContexts: values['build-context'], stdin: process.stdin },
  });
  const model = new BuildModel();
  const coloured = stderr.isTTY === true && !env['NO_COLOR'];
  const view = openView(kind, { model, explain: values.explain === true, title: titleOf(values), coloured });
  const startedAt = Date.now();
  const cancel = new AbortController();
  const release = onInterrupt(cancel);
  try {
    const solved = await buildImage(daemon, { values, inputs, plan, config, model, view, signal: cancel.signal });
    const tookMs = Date.now() - startedAt;
    const isIdWanted = values.quiet === true || values.iidfile !== undefined || kind === 'tty';
    const id = question === undefined && isIdWanted ? await imageIdOf(daemon, solved) : '';
    view.finish('done', resultLine(values, id, tookMs));
    if (question === undefined && (kind === 'tty' || kind === 'plain')) stderr.write(warningReport(model));
    return report(values, solved, id, question);
  } catch (error) {
    view.finish(cancel.signal.aborted ? 'cancelled' : 'failed');
    if (cancel.signal.aborted) {
      stderr.write('ERROR: failed to build: cancelled\n');
      return CANCELLED_STATUS;
    }
    if (!isKnown(error)) throw error;
    const columns = stderr.columns || 80;
    const given = {
      model,
      dockerfile: inputs.dockerfile,
      paint: paints(coloured),
      columns,
      hadShell: values['on-error'] !== undefined,
    };
    stderr.write(failureReport(error, given));
    return 1;
  } finally {
    release();
  }
}

/** What a line of `wharf build` asks for, before anything is read. Throws UsageError. */
export function planBuild(
  values: BuildValues,
  given: {
    readonly env: NodeJS.ProcessEnv;
    readonly proxies: Readonly<Record<string, string>>;
    readonly isTerminal: boolean;
  },
): BuildPlan {
  const { env, proxies, isTerminal } = given;
  return {
    secrets: parseSecrets(values.secret, env),
    agents: parseAgents(values.ssh, env),
    caches: planCaches(values['cache-from'], values['cache-to']),
    outputs: outputsOf(values, questionOf(values) !== undefined, isTerminal),
    attributes: frontendAttributes(values, { env, proxies }),
  };
}

interface BuildPlan {
  readonly secrets: ReturnType<typeof parseSecrets>;
  readonly agents: ReturnType<typeof parseAgents>;
  readonly caches: ReturnType<typeof planCaches>;
  readonly outputs: Outputs;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface BuildWork {
  readonly values: BuildValues;
  readonly inputs: Inputs;
  readonly plan: BuildPlan;
  readonly config: DockerConfig;
  readonly model: BuildModel;
  readonly view: View;
  readonly signal: AbortSignal;
}

/** Builds what is planned, and shows it; for those that show several builds at once. */
export async function buildImage(daemon: DockerClient, work: BuildWork): Promise<Solved> {
  const { values, inputs, plan, config, model, view, signal } = work;
  const { secrets, caches, outputs, attributes } = plan;
  await using agents = await startAgents(plan.agents);
  const onStatus: SolveHooks['onStatus'] = (message) => view.update(model.update(message), message);
  const transfers = new Transfers(model, onStatus);
  const sinks = new Map(outputs.exporters.flatMap(({ sink }, id) => (sink === undefined ? [] : [[id, sink] as const])));
  const stores = new Map([...caches.stores, ...inputs.stores]);
  for (const sink of sinks.values()) if (sink.kind === 'store') stores.set('export', sink.path);
  // Both connections are made at the same time.
  const control = openControl(daemon, signal);
  control.catch(() => undefined);
  await using connections = new AsyncDisposableStack();
  connections.defer(() => control.then((socket) => void socket.destroy()).catch(() => undefined));
  const session = await openSession(
    daemon,
    {
      ...{ directories: inputs.directories, uploads: inputs.uploads, stores, sinks, sharedKey: inputs.sharedKey },
      loans: { secrets, agents: agents.sockets, config },
      onSync: (directory, sent) => transfers.sent(directory, sent),
      onReceive: (bytes) => transfers.received(bytes),
    },
    signal,
  );
  connections.use(session);
  const order = {
    ...{ session: session.id, exporters: outputs.exporters, caches, internal: attributes['requestid'] !== undefined },
    attributes: { ...attributes, ...inputs.attributes },
    entitlements: entitlementsOf(values),
  };
  const onFailure = values['on-error'] === undefined ? undefined : await failureHook(view, signal);
  const solved = await solve(await control, order, { signal, onStatus, onFailure });
  const layouts = [...sinks.values()].flatMap((sink) =>
    sink.kind === 'store' ? [{ directory: sink.path, tag: 'latest', answer: 'containerimage.descriptor' }] : [],
  );
  updateLayouts([...caches.updates, ...layouts], solved);
  const steps = new ClientSteps(onStatus);
  if (!solved.isPushed) for (const name of outputs.push) await pushImage(daemon, name, { config, steps, signal });
  return solved;
}

async function failureHook(view: View, signal: AbortSignal): Promise<SolveHooks['onFailure']> {
  const { openShell } = await import('./shell/open-shell.ts');
  return async (failed) => {
    view.pause?.();
    try {
      await openShell(failed, signal);
    } finally {
      view.resume?.();
    }
  };
}

function report(values: BuildValues, solved: Solved, id: string, question: ReturnType<typeof questionOf>): number {
  const write = (text: string): void => void process.stdout.write(text);
  if (question !== undefined) return printAnswer(question, solved, write);
  if (values.iidfile) writeIdFile(values.iidfile, id);
  const metadata = metadataOf(solved);
  if (values['metadata-file']) writeMetadata(values['metadata-file'], metadata);
  if (values.json === true) write(`${JSON.stringify(metadata, null, 2)}\n`);
  else if (values.quiet === true) write(`${id}\n`);
  return 0;
}

function checkTogether(values: BuildValues, context: string): void {
  const onError = values['on-error'];
  if (onError !== undefined && onError !== 'shell') {
    throw new UsageError(`invalid value "${onError}" for --on-error`, 'There is "shell".');
  }
  if (onError !== undefined && (context === '-' || values.file === '-')) {
    throw new UsageError(
      '--on-error=shell needs standard input for the shell',
      'Give the context or the Dockerfile by a path.',
    );
  }
  if (values['metadata-file'] === '' || values.iidfile === '') throw new UsageError('the name of a file is empty');
  for (const name of values.tag) {
    try {
      parseReference(name);
    } catch (error) {
      if (!isKind(error, 'invalid-argument')) throw error;
      throw new UsageError(`invalid tag "${name}": invalid reference format`);
    }
  }
  for (const flag of [
    'memory',
    'memory-swap',
    'cpu-shares',
    'cpu-period',
    'cpu-quota',
    'cpuset-cpus',
    'cpuset-mems',
    'isolation',
    'squash',
  ] as const) {
    if (values[flag] !== undefined && values[flag] !== false)
      process.stderr.write(`WARNING: --${flag} means nothing to BuildKit's protocol and is passed over\n`);
  }
}

function outputsOf(values: BuildValues, isQuestion: boolean, isTerminal: boolean): Outputs {
  const outputs = planOutputs({
    ...{ outputs: values.output, tags: values.tag, isQuestion, isTerminal },
    ...{ push: values.push === true, load: values.load === true },
  });
  const isFiles = outputs.exporters.some(({ type }) => type === 'local' || type === 'tar');
  if (isFiles && values.iidfile) throw new UsageError('local and tar exporters are incompatible with image ID file');
  const annotations = annotationAttributes(values.annotation);
  const exporters = outputs.exporters.map((exporter) =>
    exporter.type === 'local' || exporter.type === 'tar'
      ? exporter
      : { ...exporter, attributes: { ...exporter.attributes, ...annotations } },
  );
  return { ...outputs, exporters };
}

/** What came of it, in a line for people; `undefined` where the answer says it. */
function resultLine(values: BuildValues, imageId: string, tookMs: number): string | undefined {
  if (questionOf(values) !== undefined) return undefined;
  const id = imageId.replace('sha256:', '').slice(0, 12);
  const places = values.output
    .map((text) => /(?:^|,)dest=([^,]*)/.exec(text)?.[1] ?? text)
    .filter((text) => text !== '-');
  const what = values.tag.length > 0 ? values.tag.join(', ') : id === '' ? places.join(', ') : id;
  const named = values.tag.length > 0 && id !== '' ? ` (${id})` : '';
  return `Built ${what === '' ? 'it' : what}${named} in ${duration(tookMs)}`;
}

function titleOf({ tag, target }: BuildValues): string {
  return tag[0] ?? target ?? '';
}

function writeIdFile(path: string, id: string): void {
  process.getBuiltinModule('node:fs').writeFileSync(path, id);
}

/** The first interrupt ends the build, a second one the program. */
function onInterrupt(cancel: AbortController): () => void {
  const interrupt = (): void => {
    if (cancel.signal.aborted) process.exit(CANCELLED_STATUS);
    cancel.abort(new WharfError('aborted', 'cancelled'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
}

function isKnown(error: unknown): boolean {
  return error instanceof WharfError;
}
