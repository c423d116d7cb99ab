import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, messageOf, WharfError } from '@wharf/kit';
import { serveGrpc } from '@wharf/wire/grpc/server';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import type { Builder } from '../build.ts';
import { TIMESTAMP_HEADER } from '../buildkit/history-service.ts';
import { Results } from '../buildkit/results.ts';
import { BuildKitServer } from '../buildkit/server.ts';
import { Sessions } from '../buildkit/sessions.ts';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { excerpt } from '../dockerfile/excerpt.ts';
import { locationOf } from '../dockerfile/location.ts';
import { imageExporter } from '../export/image.ts';
import { squashed } from '../export/squash.ts';
import type { BuildPlan } from '../plan/plan.ts';
import {
  applyIgnorePatterns,
  ignorePatterns,
  readDockerfile,
  removeOwnFiles,
  unpackContext,
} from '../sources/context.ts';
import { type BuildParameters, buildParameters } from './build-parameters.ts';
import { cacheRoutes } from './caches.ts';
import { classicError, fromFlagAt } from './classic-errors.ts';
import { ClassicOutput } from './classic-output.ts';
import { ClassicRecord } from './classic-record.ts';
import { tellingStages } from './classic-stages.ts';
import { pruneBuilds } from './prune.ts';
import { buildCredentials } from './registry-config.ts';
import { fetchRemote } from './remote-context.ts';
import { RunningBuilds } from './running-builds.ts';
import { frontendAttrs, sessionBuild } from './session-build.ts';
import { unusedArgs } from './unused-args.ts';
import { Uploads } from './uploads.ts';

/** The build protocols: the classic one, a context in the body and progress in the answer; and BuildKit's, over upgraded connections. */
export function buildRoutes({
  builder,
  log,
  version,
}: {
  readonly builder: Builder;
  readonly log: Logger;
  /** Of this program, for clients that ask what builds for them. */
  readonly version: string;
}): readonly Route[] {
  const sessions = new Sessions();
  const results = new Results(builder);
  const uploads = new Uploads();
  const running = new RunningBuilds();
  const headers = () => ({ [TIMESTAMP_HEADER]: new Date().toISOString() });
  const { methods } = new BuildKitServer({ builder, sessions, log, version });
  return [
    {
      method: 'POST',
      pattern: '/build',
      handler: (request, response) =>
        request.query.get('version') === '2'
          ? sessionBuild({ builder, sessions, results, uploads, running, log }, { request, response })
          : build(builder, log, request, response),
    },
    {
      method: 'POST',
      pattern: '/build/cancel',
      handler({ query }, response) {
        const id = query.get('id') ?? '';
        if (id === '') throw new WharfError('invalid-argument', 'build ID not provided');
        running.cancel(id);
        response.empty(200);
      },
    },
    {
      method: 'POST',
      pattern: '/build/prune',
      since: 31,
      handler: async (request, response) => response.json(200, await pruneBuilds(builder, request)),
    },
    {
      method: 'POST',
      pattern: '/session',
      hijack: true,
      handler: async ({ headers }, response) => {
        const id = headers['x-docker-expose-session-uuid'];
        if (typeof id !== 'string' || id === '') {
          throw new WharfError('invalid-argument', 'Cannot open a session: it has no id');
        }
        const offered = headers['x-docker-expose-session-grpc-method'] ?? '';
        const methods = String(offered)
          .split(',')
          .map((name) => name.trim());
        const sharedKey = String(headers['x-docker-expose-session-sharedkey'] ?? '');
        await sessions.serve(id, { methods, sharedKey }, response.upgrade('h2c'));
      },
    },
    {
      method: 'POST',
      pattern: '/grpc',
      hijack: true,
      handler: (_, response) => serveGrpc(response.upgrade('h2c'), methods, { headers }),
    },
    ...cacheRoutes(builder),
  ];
}

async function build(builder: Builder, log: Logger, request: ApiRequest, response: ApiResponse): Promise<void> {
  const parameters = buildParameters(request);
  const credentials = buildCredentials(request);
  await builder.withScratch(async (scratch) => {
    const { context, dockerfile } = await takeContext(builder, parameters, request, join(scratch, 'context'));
    // A fault of the file itself is a bad request; all later ones come in the stream.
    const parsed = parseDockerfile(dockerfile);
    const stream = response.stream(200, 'application/json');
    const write = (document: unknown): void => {
      stream.json(document).catch(() => undefined);
    };
    let output: ClassicOutput | undefined;
    let leftover: readonly string[] = [];
    const attrs = frontendAttrs(request.query, parameters);
    const record = new ClassicRecord(builder.history, { attrs, dockerfile, names: parameters.names });
    try {
      const { names, buildArgs, labels, target, platform, noCache, pull, cacheFrom, network, extraHosts, limits } =
        parameters;
      const image = tellingStages(
        imageExporter({ name: names.join(',') }),
        (base) => output?.treeOf(base),
        (ids) => output?.stages(ids),
      );
      const outcome = await builder.build({
        context: () => Promise.resolve({ path: context }),
        ...{
          dockerfile,
          exporters: [parameters.squash ? squashed(image) : image],
          buildArgs,
          classic: true,
          labels,
          target,
          noCache,
          pull,
          network,
          extraHosts,
        },
        cacheFrom,
        platforms: platform === undefined ? [] : [platform],
        ...{ limits, secrets: NO_SECRETS, credentials, signal: request.signal },
        onPlans: ([plan]) => {
          if (plan === undefined) throw new WharfError('internal', 'Cannot build without a plan');
          leftover = unusedArgs([...buildArgs.keys(), ...parameters.emptyArgs], parsed, plan);
          output = new ClassicOutput(plan, parameters.quiet ? () => undefined : write);
          assertNotEmpty(plan);
          return record.watch(output, plan);
        },
        onPull: (document) => {
          if (!parameters.quiet) write(document);
        },
      });
      record.outcome = outcome;
      record.ended();
      const id = outcome.responses[0]?.['containerimage.digest'];
      if (id !== undefined && parameters.quiet) write({ stream: `${id}\n` });
      else if (id !== undefined) output?.finish(id, names, leftover);
    } catch (error) {
      if (record.outcome === undefined) record.ended(error);
      if (request.signal.aborted) log.debug({ err: messageOf(error) }, 'a build was given up by its client');
      const at = locationOf(error) ?? output?.failed?.location;
      if (at !== undefined && !parameters.quiet)
        write({ stream: excerpt(dockerfile, at, parameters.dockerfile || undefined) });
      // Without a plan it is an image that could not be had.
      write(classicError(error, output?.failed, output === undefined ? fromFlagAt(parsed, at) : ''));
    }
    stream.end();
  });
}

/** Docker's classic builder has no image without anything. */
function assertNotEmpty({ target: { tree, draft } }: BuildPlan): void {
  if (tree === undefined && draft.history.length === 0 && draft.config.Labels === undefined)
    throw new WharfError('invalid-argument', 'No image was generated. Is your Dockerfile empty?');
}

const NO_SECRETS = { secret: () => Promise.resolve(undefined), sshAgent: () => Promise.resolve(undefined) };

async function takeContext(
  builder: Builder,
  { remote, dockerfile: name }: BuildParameters,
  request: ApiRequest,
  context: string,
): Promise<{ readonly context: string; readonly dockerfile: string }> {
  await mkdir(context, { recursive: true });
  if (remote === '') {
    await unpackContext(request.body, context, request.signal);
    const dockerfile = await readDockerfile(context, name);
    await removeOwnFiles(context, name || 'Dockerfile');
    return { context, dockerfile };
  }
  const fetched = await fetchRemote(remote, context, {
    ...{ repositories: builder.repositories, secrets: NO_SECRETS, keepGitDir: false, signal: request.signal },
  });
  if (fetched.dockerfile !== undefined) return { context, dockerfile: fetched.dockerfile };
  const dockerfile = await readDockerfile(fetched.directory, name);
  await applyIgnorePatterns(fetched.directory, await ignorePatterns(fetched.directory, name || 'Dockerfile'));
  return { context: fetched.directory, dockerfile };
}
