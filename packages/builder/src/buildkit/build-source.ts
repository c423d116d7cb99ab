import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WharfError } from '@wharf/kit';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { decode } from '@wharf/wire/grpc/protobuf';
import type { Builder, BuildRequest, ContextDirectory } from '../build.ts';
import { fetchRemote, isRemote, type RemoteContext } from '../docker-api/remote-context.ts';
import { resolveInTree } from '../files/resolve-path.ts';
import type { CredentialsSource } from '../interfaces.ts';
import type { StepSecrets } from '../ops/step-mounts.ts';
import { applyIgnorePatterns, ignorePatterns, readDockerfile, unpackContext } from '../sources/context.ts';
import type { DefinitionMessage } from './definition.ts';
import { fetchLayoutImage } from './layout-image.ts';
import { LocalDirectories } from './local-directories.ts';
import { BytesMessage } from './messages.ts';
import { graphContext, NamedContexts } from './named-contexts.ts';
import type { Progress } from './progress.ts';
import type { Results } from './results.ts';
import { sessionCredentials } from './session-credentials.ts';
import type { Session, Sessions } from './sessions.ts';

/** Where a build's files come from. */
export interface BuildSource {
  readonly dockerfile: string;
  readonly context: BuildRequest['context'];
  readonly namedSource: NonNullable<BuildRequest['namedSource']>;
  readonly credentials: CredentialsSource;
  /** What .dockerignore says. */
  readonly ignorePatterns: () => Promise<readonly string[]>;
  /** The paths of the client's own directory that a pattern matches; absent where the context is elsewhere. */
  readonly list: ((pattern: string) => Promise<readonly string[]>) | undefined;
  /** The build has ended and reads nothing any more. */
  readonly done: () => Promise<void>;
}

export interface SourceRequest {
  readonly builder: Builder;
  readonly sessions: Sessions;
  readonly results: Results;
  readonly session: Session;
  readonly secrets: StepSecrets;
  /** Of this build alone; removed with it. */
  readonly scratch: string;
  /** What the client told the front end. */
  readonly given: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, DefinitionMessage>>;
  readonly filename: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The context itself, which steps read when they need it. */
interface MainContext {
  readonly list?: (pattern: string) => Promise<readonly string[]>;
  /** The Dockerfile and the patterns of a .dockerignore that belongs to it alone. */
  readonly definition: () => Promise<{ readonly text: string; readonly ignore: readonly string[] }>;
  readonly ignorePatterns: () => Promise<readonly string[]>;
  readonly directory: (
    plans: Parameters<BuildRequest['context']>[0],
    exclude: readonly string[],
  ) => Promise<ContextDirectory>;
}

const UPLOAD = 'http://buildkit-session/';
const PULL = '/moby.upload.v1.Upload/Pull';
const MAIN = 'context';

/** Finds out where Dockerfile and contexts are, and reads the Dockerfile (BuildKit, dockerui `context.go`). */
export async function openSource(request: SourceRequest): Promise<BuildSource> {
  const { session, sessions, builder, scratch, given, filename, progress, signal } = request;
  const prefix = 'local-sessionid:';
  const sessionIds = new Map(
    Object.entries(given).flatMap(([key, id]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), id]] : [])),
  );
  const kept = builder.contexts;
  const lease = builder.lease();
  const done = async (): Promise<void> => {
    lease[Symbol.dispose]();
    await directories.done();
  };
  const directories = new LocalDirectories({ session, sessions, sessionIds, kept, progress, scratch, signal });
  try {
    const main = (await elsewhere(request)) ?? localContext(directories, filename);
    const named = new NamedContexts({
      ...{ given, inputs: request.inputs, directories, results: request.results },
      layoutImage: (name, reference, platform) =>
        progress.step(`[context ${name}] OCI load from client`, () =>
          fetchLayoutImage({ builder, session, lease, signal }, { name, reference, platform }),
        ),
    });
    // The client may send the Dockerfile beside a context that it does not send.
    const key = given['dockerfilekey'];
    const definition = key === undefined ? await main.definition() : await directories.dockerfile(key, filename);
    const ignore = definition.ignore;
    let patterns: Promise<readonly string[]> | undefined;
    const ignored = (): Promise<readonly string[]> =>
      (patterns ??= ignore.length > 0 ? Promise.resolve(ignore) : main.ignorePatterns());
    return {
      dockerfile: definition.text,
      ignorePatterns: ignored,
      list: main.list,
      namedSource: named.source,
      credentials: sessionCredentials(session),
      context: async (plans, name) =>
        name === MAIN ? main.directory(plans, await ignored()) : named.directory(plans, name),
      done,
    };
  } catch (error) {
    await done();
    throw error;
  }
}

/** The context that a client's session sends. */
function localContext(directories: LocalDirectories, filename: string): MainContext {
  return {
    list: (pattern) => directories.names(MAIN, pattern),
    definition: () => directories.dockerfile('dockerfile', filename),
    ignorePatterns: () => directories.ignorePatterns(MAIN, '[internal]'),
    directory: (plans, exclude) => directories.context(plans, { name: MAIN, keptAs: '', exclude }),
  };
}

/** A context that is not the session's: a repository, an archive, one that the client describes; `undefined` otherwise. */
async function elsewhere(request: SourceRequest): Promise<MainContext | undefined> {
  const { given, inputs, filename, progress, scratch } = request;
  const address = given[MAIN] ?? '';
  const input = inputs[MAIN];
  const directory = join(scratch, 'remote');
  let fetch: (() => Promise<RemoteContext>) | undefined;
  if (address.startsWith(UPLOAD)) fetch = () => receiveUpload(request, address, directory);
  else if (isRemote(address)) fetch = () => fetchAddress(request, address, directory);
  else if (input !== undefined) fetch = () => fetchAddress(request, graphContext(input), directory);
  if (fetch === undefined) return undefined;
  await mkdir(directory, { recursive: true });
  const title = address.startsWith(UPLOAD) ? 'load build context' : 'load remote build context';
  const found = await progress.step(`[internal] ${title}`, fetch);
  const root = found.directory + toText(resolveInTree(found.directory, toBytes(given['contextsubdir'] ?? '')));
  const own = await ignorePatterns(root, filename);
  let isFiltered = false;
  return {
    definition: async () => ({ text: found.dockerfile ?? (await readRemoteDockerfile(root, filename)), ignore: own }),
    ignorePatterns: () => Promise.resolve(own),
    async directory(_plans, exclude) {
      if (!isFiltered && found.dockerfile === undefined) await applyIgnorePatterns(root, exclude);
      isFiltered = true;
      return { path: root };
    },
  };
}

async function fetchAddress(request: SourceRequest, address: string, directory: string): Promise<RemoteContext> {
  const { builder, secrets, given, signal } = request;
  const keepGitDir = /^(1|t|true)$/i.test(given['build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? '');
  return fetchRemote(address, directory, { repositories: builder.repositories, secrets, keepGitDir, signal });
}

/** An archive that the client has on its standard input. */
async function receiveUpload(
  { session, signal }: SourceRequest,
  address: string,
  directory: string,
): Promise<RemoteContext> {
  const { pathname, host } = new URL(address);
  const call = session.client.open(PULL, { urlpath: pathname, urlhost: host }, signal);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const message of call.messages) {
      yield decode<{ readonly data: Uint8Array }>(BytesMessage, message).data;
    }
    call.end();
  }
  await unpackContext(bytes(), directory, signal);
  return { directory };
}

async function readRemoteDockerfile(directory: string, filename: string): Promise<string> {
  return readDockerfile(directory, filename === 'Dockerfile' ? '' : filename).catch((error: unknown) => {
    if (!(error instanceof WharfError) || error.kind !== 'invalid-argument') throw error;
    throw new WharfError('not-found', `failed to read dockerfile: open ${filename}: no such file or directory`);
  });
}
