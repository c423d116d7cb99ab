import { messageOf, WharfError } from '@wharf/kit';
import { decodeExecCreate, decodeExecStart } from '@wharf/wire/docker/decode';
import type { ExecInspectResponse } from '@wharf/wire/docker/types';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import { frame, STDOUT } from '@wharf/wire/stdcopy';
import type { Engine } from '../engine.ts';
import type { Exec } from '../exec/exec-service.ts';
import { readConsoleSize } from './console-size.ts';
import { MULTIPLEXED_STREAM, RAW_STREAM } from './logs.ts';

/** `POST /containers/{id}/exec` and `/exec/{id}/…`. */
export function execRoutes(engine: Engine): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/containers/{id}/exec',
      handler: (request, response) => create(engine, request, response),
    },
    {
      method: 'POST',
      pattern: '/exec/{id}/start',
      hijack: true,
      handler: (request, response) => start(engine, request, response),
    },
    {
      method: 'POST',
      pattern: '/exec/{id}/resize',
      handler: ({ params, query }, response) => {
        engine.execs.resize(params['id'] ?? '', readConsoleSize(query));
        response.empty(200);
      },
    },
    {
      method: 'GET',
      pattern: '/exec/{id}/json',
      handler: async ({ params }, response) =>
        response.json(200, inspect(await engine.execs.settled(params['id'] ?? ''))),
    },
  ];
}

async function create(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const body = decodeExecCreate(await request.json());
  const command = body.Cmd ?? [];
  if (command.length === 0) throw new WharfError('invalid-argument', 'No exec command specified');
  const id = await engine.execs.create(request.params['id'] ?? '', {
    command,
    env: body.Env ?? [],
    user: body.User ?? '',
    workingDirectory: body.WorkingDir ?? '',
    tty: body.Tty === true,
    attachStdin: body.AttachStdin === true,
    attachStdout: body.AttachStdout === true,
    attachStderr: body.AttachStderr === true,
    privileged: body.Privileged === true,
    detachKeys: body.DetachKeys || undefined,
    consoleSize: request.atLeast(42) ? consoleSize(body.ConsoleSize) : undefined,
  });
  response.json(201, { Id: id });
}

function consoleSize(
  given: readonly number[] | undefined,
): { readonly height: number; readonly width: number } | undefined {
  const [height = 0, width = 0] = given ?? [];
  return height > 0 && width > 0 ? { height, width } : undefined;
}

/** All that can be refused is refused before the connection is taken over; what fails later is written into the stream. */
async function start(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const id = request.params['id'] ?? '';
  const body = decodeExecStart(await request.json());
  const tty = body.Tty === true;
  const options = { tty, consoleSize: tty && request.atLeast(42) ? consoleSize(body.ConsoleSize) : undefined };
  engine.execs.check(id);
  if (body.Detach === true) {
    await engine.execs.startDetached(id, options);
    response.empty(200);
    return;
  }
  const upgrade = request.headers.upgrade !== undefined;
  const contentType = !options.tty && upgrade && request.atLeast(42) ? MULTIPLEXED_STREAM : RAW_STREAM;
  const { stream } = response.hijack(contentType);
  stream.on('error', () => undefined);
  await engine.execs.startAttached(id, stream, {
    ...options,
    refused(error) {
      const text = Buffer.from(`${messageOf(error)}\r\n`);
      if (!stream.destroyed) stream.write(options.tty ? text : frame(STDOUT, text));
    },
  });
}

function inspect(exec: Exec): ExecInspectResponse {
  const { config } = exec;
  const [entrypoint = '', ...rest] = config.command;
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode ?? null,
    ProcessConfig: {
      tty: config.tty,
      entrypoint,
      arguments: rest,
      privileged: config.privileged,
      ...(config.user ? { user: config.user } : {}),
    },
    OpenStdin: config.attachStdin,
    OpenStderr: config.attachStderr,
    OpenStdout: config.attachStdout,
    CanRemove: !exec.running && exec.exitCode !== undefined,
    ContainerID: exec.containerId,
    DetachKeys: config.detachKeys ?? '',
    Pid: exec.pid,
  };
}
