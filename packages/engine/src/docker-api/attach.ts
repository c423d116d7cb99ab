import { type Duplex, PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { WharfError } from '@wharf/kit';
import { attachToPaused, attachToRestarting } from '@wharf/wire/docker/messages';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import type { ContainerRecord } from '../containers/container.ts';
import type { Engine } from '../engine.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import { readConsoleSize } from './console-size.ts';
import { MULTIPLEXED_STREAM, RAW_STREAM } from './logs.ts';

interface AttachRequest {
  readonly record: ContainerRecord;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly logs: boolean;
  readonly stream: boolean;
  readonly detachKeys: string | undefined;
  readonly framed: boolean;
}

/** Checks everything that can be refused before the connection is taken over. */
function readRequest(engine: Engine, request: ApiRequest, websocket: boolean): AttachRequest {
  const { query } = request;
  const name = request.params['id'] ?? '';
  const detachKeys = query.get('detachKeys') || undefined;
  if (detachKeys !== undefined) parseDetachKeys(detachKeys);
  const record = engine.containers.get(name);
  if (record.state.status === 'paused') throw new WharfError('conflict', attachToPaused(name));
  if (record.state.status === 'restarting') throw new WharfError('conflict', attachToRestarting(name));
  // Before 1.42 a websocket always had all three.
  const all = websocket && !request.atLeast(42);
  const logs = query.bool('logs');
  if (logs) engine.containers.log(record.id).checkReadable();
  return {
    record,
    stdin: (all || query.bool('stdin')) && record.config.OpenStdin === true,
    stdout: all || query.bool('stdout'),
    stderr: all || query.bool('stderr'),
    logs,
    stream: query.bool('stream'),
    detachKeys,
    framed: !websocket && record.config.Tty !== true,
  };
}

/** Copies the log into the client, with `stream` to the end of the process. */
async function replay(engine: Engine, attach: AttachRequest, client: Duplex, signal: AbortSignal): Promise<void> {
  const { record, stdout, stderr, framed, stream } = attach;
  if (!stdout && !stderr) return;
  const query = { stdout, stderr, framed, signal };
  const log = engine.containers.log(record.id);
  const write = async (piece: Buffer): Promise<void> => {
    if (client.destroyed) return;
    await new Promise<void>((resolve) => {
      client.once('close', resolve);
      client.write(piece, () => {
        client.removeListener('close', resolve);
        resolve();
      });
    });
  };
  if (stream) await log.attachTo(query, write);
  else await log.streamTo({ ...query, follow: false }, { framed, timestamps: false, details: false }, write);
}

/**
 * Log first, then live: the client's output comes from the log alone, which goes on while the process does and where
 * each byte stands once. Only the client's input goes by the streams.
 */
async function serveWithLogs(engine: Engine, attach: AttachRequest, client: Duplex): Promise<void> {
  const gone = new AbortController();
  client.once('close', () => gone.abort());
  const copied = replay(engine, attach, client, gone.signal);
  if (attach.stream && attach.stdin) {
    const input = client.pipe(new PassThrough());
    const quiet = { stdin: true, stdout: false, stderr: false, framed: false, detachKeys: attach.detachKeys };
    const end = await engine.containers.streams(attach.record.id).attach(input, quiet);
    if (end === 'detached') {
      gone.abort();
      engine.containers.publish(attach.record, 'detach');
    }
  }
  await copied;
  client.end();
}

async function serve(engine: Engine, attach: AttachRequest, client: Duplex): Promise<void> {
  const { record, stdin, stdout, stderr, stream, framed, detachKeys } = attach;
  client.on('error', () => undefined);
  engine.containers.publish(record, 'attach');
  if (attach.logs && record.state.status !== 'created') {
    await serveWithLogs(engine, attach, client);
    return;
  }
  if (!stream) {
    client.end();
    return;
  }
  const streams = engine.containers.streams(record.id);
  const end = await streams.attach(client, { stdin, stdout, stderr, framed, detachKeys });
  if (end === 'detached') engine.containers.publish(record, 'detach');
}

async function attachHijacked(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const attach = readRequest(engine, request, false);
  const upgrade = request.headers.upgrade !== undefined;
  // A body of known length is no input: docker-modem repeats its options there, and dockerd drops them.
  if (Number(request.headers['content-length'] ?? 0) > 0) await finished(request.body.resume());
  const contentType = attach.framed && upgrade && request.atLeast(42) ? MULTIPLEXED_STREAM : RAW_STREAM;
  await serve(engine, attach, response.hijack(contentType).stream);
}

async function attachWebsocket(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const attach = readRequest(engine, request, true);
  await serve(engine, attach, await response.websocket());
}

/** `POST /containers/{id}/attach`, `GET /containers/{id}/attach/ws` and `POST /containers/{id}/resize`. */
export function attachRoutes(engine: Engine): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/containers/{id}/attach',
      hijack: true,
      handler: (request, response) => attachHijacked(engine, request, response),
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/attach/ws',
      websocket: true,
      handler: (request, response) => attachWebsocket(engine, request, response),
    },
    {
      method: 'POST',
      pattern: '/containers/{id}/resize',
      handler(request, response) {
        engine.containers.resize(request.params['id'] ?? '', readConsoleSize(request.query));
        response.empty(200);
      },
    },
  ];
}
