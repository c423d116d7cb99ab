import { WharfError, withDeadline } from '@wharf/kit';
import { BAD_PATH } from '@wharf/wire/docker/messages';
import type { ContainerPathStat } from '@wharf/wire/docker/types';
import type { ApiRequest, ApiResponse, ResponseStream, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';

const TAR = 'application/x-tar';

function readPath({ query }: ApiRequest): string {
  const path = query.get('path');
  if (path === undefined || path === '') throw new WharfError('invalid-argument', BAD_PATH);
  return path;
}

function setStat(response: ApiResponse, stat: ContainerPathStat): void {
  const header = Buffer.from(JSON.stringify(stat)).toString('base64');
  response.setHeader('X-Docker-Container-Path-Stat', header);
}

async function getArchive(engine: Pick<Engine, 'archive'>, request: ApiRequest, response: ApiResponse): Promise<void> {
  const path = readPath(request);
  let stream: ResponseStream | undefined;
  await engine.archive.get(request.params['id'] ?? '', path, {
    begin: (stat) => {
      setStat(response, stat);
      stream = response.stream(200, TAR);
    },
    write: async (chunk) => stream?.write(chunk),
    signal: request.signal,
  });
  stream?.end();
}

async function putArchive(engine: Pick<Engine, 'archive'>, request: ApiRequest, response: ApiResponse): Promise<void> {
  try {
    const path = readPath(request);
    await engine.archive.put(request.params['id'] ?? '', {
      path,
      // Left whole when unpacking fails, so that the client still gets to read why.
      body: request.body.iterator({ destroyOnReturn: false }),
      noOverwriteDirNonDir: request.query.bool('noOverwriteDirNonDir'),
      copyUidGid: request.query.bool('copyUIDGID'),
      signal: request.signal,
    });
  } catch (error) {
    await readSome(request);
    throw error;
  } finally {
    request.body.resume();
  }
  response.empty(200);
}

/** As Go's server does: an answer before the end of a short body makes clients complain of their own writing. Never throws. */
const READ_BEFORE_ERROR = { bytes: 256 * 1024, ms: 1000 };

async function readSome({ body, signal }: ApiRequest): Promise<void> {
  const read = async (): Promise<void> => {
    let bytes = 0;
    for await (const piece of body.iterator({ destroyOnReturn: false })) {
      bytes += (piece as Buffer).length;
      if (bytes > READ_BEFORE_ERROR.bytes) break;
    }
  };
  await withDeadline({ ms: READ_BEFORE_ERROR.ms, signal }, read).catch(() => undefined);
}

async function exportContainer(
  engine: Pick<Engine, 'archive'>,
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  let stream: ResponseStream | undefined;
  await engine.archive.export(request.params['id'] ?? '', {
    write: (chunk) => {
      stream ??= response.stream(200, 'application/octet-stream');
      return stream.write(chunk);
    },
    signal: request.signal,
  });
  stream?.end();
}

/** `/containers/{id}/archive`, `/export` and `/changes` of the Engine API, "Container". */
export function archiveRoutes(engine: Pick<Engine, 'archive'>): readonly Route[] {
  return [
    {
      method: 'HEAD',
      pattern: '/containers/{id}/archive',
      handler: async (request, response) => {
        setStat(response, await engine.archive.stat(request.params['id'] ?? '', readPath(request)));
        response.empty(200);
      },
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/archive',
      handler: (request, response) => getArchive(engine, request, response),
    },
    {
      method: 'PUT',
      pattern: '/containers/{id}/archive',
      handler: (request, response) => putArchive(engine, request, response),
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/export',
      handler: (request, response) => exportContainer(engine, request, response),
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/changes',
      handler: async (request, response) => {
        const changes = await engine.archive.changes(request.params['id'] ?? '', request.signal);
        // Go's nil slice.
        response.json(200, changes.length === 0 ? null : changes);
      },
    },
  ];
}
