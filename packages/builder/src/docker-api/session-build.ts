import { randomBytes } from 'node:crypto';
import { type Logger, messageOf, WharfError } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { encode } from '@wharf/wire/grpc/protobuf';
import type { ApiRequest, ApiResponse } from '@wharf/wire/http/route';
import type { Builder } from '../build.ts';
import { drive } from '../buildkit/drive.ts';
import { BuildJob } from '../buildkit/job.ts';
import { type ControlSolve, type ExporterMessage, StatusResponse } from '../buildkit/messages.ts';
import { recordBuild } from '../buildkit/record-build.ts';
import type { Results } from '../buildkit/results.ts';
import type { Sessions } from '../buildkit/sessions.ts';
import { type BuildParameters, buildParameters, parseJson } from './build-parameters.ts';
import type { RunningBuilds } from './running-builds.ts';
import { absentSession, type Uploads, withBody } from './uploads.ts';

/** The context is what the session lends. */
const FROM_SESSION = 'client-session';
/** The context comes in a request of its own, which says so and for which build. */
const UPLOADED = 'upload-request';
/** What the front end is told to read then: what the session has to be pulled. */
const UPLOAD_ADDRESS = 'http://buildkit-session/upload';

export interface SessionBuildDeps {
  readonly builder: Builder;
  readonly sessions: Sessions;
  readonly results: Results;
  readonly uploads: Uploads;
  readonly running: RunningBuilds;
  readonly log: Logger;
}

/**
 * `POST /build?version=2`: a build by BuildKit's rules whose files come from a session, or as an archive in the body, for which no
 * session is needed; its progress goes out in the answer as BuildKit's own messages. Docker's clients 18.09 to 22 speak it with
 * DOCKER_BUILDKIT=1. A client that leaves ends the build.
 */
export async function sessionBuild(
  deps: SessionBuildDeps,
  { request, response }: { readonly request: ApiRequest; readonly response: ApiResponse },
): Promise<void> {
  const id = request.query.get('buildid') ?? '';
  if (id.startsWith(`${UPLOADED}:`)) {
    await deps.uploads.offer(id.slice(UPLOADED.length + 1), request.body);
    response.empty(200);
    return;
  }
  await deps.running.run(id, request.signal, (signal) => build(deps, { apiRequest: request, response, id, signal }));
}

async function build(
  { builder, sessions, results, uploads, log }: SessionBuildDeps,
  {
    apiRequest,
    response,
    id,
    signal,
  }: {
    readonly apiRequest: ApiRequest;
    readonly response: ApiResponse;
    readonly id: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const parameters = buildParameters(apiRequest);
  const asked = solveRequest(apiRequest, parameters);
  using lent = await lend({ sessions, uploads }, { asked, remote: parameters.remote, id, body: apiRequest.body });
  const request = lent === undefined ? asked : { ...asked, Session: asked.Ref };
  const job = new BuildJob({ builder, sessions, results, request, signal });
  const recording = recordBuild(builder.history, request, job);
  const stream = response.stream(200, 'application/json');
  const write = (document: unknown): void => void stream.json(document).catch(() => undefined);
  const following = (async () => {
    for await (const status of job.progress.follow(signal)) {
      const aux = Buffer.from(encode(StatusResponse, status)).toString('base64');
      await stream.json({ id: 'moby.buildkit.trace', aux });
    }
  })();
  following.catch(() => undefined);
  try {
    const { 'containerimage.digest': ID } = await drive(job, {
      ...{ FrontendOpt: request.FrontendAttrs, FrontendInputs: {} },
    });
    job.progress.finish();
    recording.ended();
    await following;
    if (ID === undefined) return;
    write({ id: 'moby.image.id', aux: { ID } });
    if (parameters.quiet) write({ stream: `${ID}\n` });
    else for (const name of parameters.names) write({ stream: `Successfully tagged ${name}\n` });
  } catch (error) {
    job.progress.finish();
    recording.ended(error);
    await following.catch(() => undefined);
    if (signal.aborted) log.debug({ err: messageOf(error) }, 'a build was given up by its client');
    const message = messageOf(error);
    write({ errorDetail: { message }, error: message });
  } finally {
    job.release();
    stream.end();
  }
}

/**
 * Lends the build the session that it names once more, by the build's own id, with the archive that belongs to it: an upload, or the
 * body of the request itself. `undefined` where the session alone has everything.
 */
async function lend(
  { sessions, uploads }: Pick<SessionBuildDeps, 'sessions' | 'uploads'>,
  {
    asked: { Ref, Session: named },
    remote,
    id,
    body,
  }: {
    readonly asked: ControlSolve;
    readonly remote: string;
    readonly id: string;
    readonly body: AsyncIterable<Uint8Array>;
  },
): Promise<Disposable | undefined> {
  if (named !== '' && remote !== UPLOADED && remote !== '') return undefined;
  const session = named === '' ? absentSession(Ref) : await sessions.get(named);
  if (remote === UPLOADED) return sessions.add({ ...(await uploads.join(session, id)), id: Ref });
  return sessions.add({ ...(remote === '' ? withBody(session, body) : session), id: Ref });
}

function solveRequest({ query }: ApiRequest, parameters: BuildParameters): ControlSolve {
  const session = query.get('session') ?? '';
  const exporters = exportersOf(query.get('outputs'), parameters.names);
  return {
    ...{ Ref: randomBytes(16).toString('hex'), Session: session, Frontend: 'dockerfile.v0', Internal: false },
    ...{ Exporters: exporters, ExporterDeprecated: '', ExporterAttrsDeprecated: {}, Entitlements: [] },
    FrontendAttrs: frontendAttrs(query, parameters),
  };
}

/** `[{"Type":"local","Attrs":{}}]`, as the client has read `--output`; an image without any. */
function exportersOf(text: string | undefined, names: readonly string[]): readonly ExporterMessage[] {
  const name = names.join(',');
  const given = parseJson(text, 'outputs') ?? [];
  if (!Array.isArray(given)) throw new WharfError('invalid-argument', 'error reading outputs: it is not a list');
  if (given.length === 0) return [{ Type: 'moby', Attrs: { name } }];
  return given.map((each: { readonly Type?: string; readonly Attrs?: Readonly<Record<string, string>> | null }) => {
    const Type = each.Type ?? '';
    const isImage = Type === 'image' || Type === 'moby';
    return { Type, Attrs: { ...(isImage && name !== '' ? { name } : {}), ...each.Attrs } };
  });
}

/** The context in the words of the front end; `undefined` for the session's own. */
function contextOf(remote: string): string | undefined {
  if (remote === UPLOADED || remote === '') return UPLOAD_ADDRESS;
  return remote === FROM_SESSION ? undefined : remote;
}

/** The query in the words of the front end (BuildKit, dockerui `config.go`). */
export function frontendAttrs(
  query: ApiRequest['query'],
  parameters: BuildParameters,
): Readonly<Record<string, string>> {
  const { dockerfile, remote, target, platform, network, extraHosts, limits } = parameters;
  const ulimits = (limits.ulimits ?? []).map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`);
  const optional: Readonly<Record<string, string | undefined>> = {
    filename: dockerfile === '' ? undefined : dockerfile,
    context: contextOf(remote),
    target,
    platform: platform === undefined ? undefined : formatPlatform(platform),
    'no-cache': parameters.noCache ? '' : undefined,
    'image-resolve-mode': parameters.pull ? 'pull' : 'local',
    'force-network-mode': network === 'host' || network === 'none' ? network : undefined,
    'add-hosts': extraHosts.length === 0 ? undefined : extraHosts.map((line) => line.replace(':', '=')).join(','),
    'shm-size': limits.shmSizeBytes === undefined ? undefined : String(limits.shmSizeBytes),
    ulimit: ulimits.length === 0 ? undefined : ulimits.join(','),
    'cgroup-parent': query.get('cgroupparent') || undefined,
    'cache-from': parameters.cacheFrom?.join(','),
  };
  return {
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    ...Object.fromEntries([...parameters.buildArgs].map(([name, value]) => [`build-arg:${name}`, value])),
    ...Object.fromEntries(Object.entries(parameters.labels).map(([name, value]) => [`label:${name}`, value])),
  };
}
