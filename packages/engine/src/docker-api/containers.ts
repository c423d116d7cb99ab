import { WharfError } from '@wharf/kit';
import { parsePlatform } from '@wharf/oci/spec/platform';
import {
  decodeCheckpointCreate,
  decodeContainerConfig,
  decodeContainerCreate,
  decodeContainerUpdate,
} from '@wharf/wire/docker/decode';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import { stringifyJson } from '@wharf/wire/json';
import type { StopOptions, WaitCondition, WaitResult } from '../containers/container-service.ts';
import type { Engine } from '../engine.ts';
import { readCgroupFacts } from '../system/cgroup-facts.ts';
import { inspectContainer } from './container-inspect.ts';
import { listContainers } from './container-list.ts';
import { createForVersion, updateForVersion, versionWarnings } from './create-compat.ts';

/** `/containers` but for streams, logs, archives and statistics, which have tables of their own; and `/commit`. */
export function containersRoutes(engine: Engine): readonly Route[] {
  // Checkpoints first: what is removed by name may have slashes in it.
  return [...checkpointRoutes(engine), ...collectionRoutes(engine), ...lifeRoutes(engine), ...changeRoutes(engine)];
}

const idOf = (request: ApiRequest): string => request.params['id'] ?? '';

function collectionRoutes(engine: Engine): readonly Route[] {
  const { containers } = engine;
  // The host's layout does not change while the daemon runs.
  const hostFacts = readCgroupFacts();
  return [
    {
      method: 'GET',
      pattern: '/containers/json',
      handler: async (request, response) => response.json(200, await listContainers(engine, request)),
    },
    {
      method: 'POST',
      pattern: '/containers/create',
      handler: async (request, response) => {
        const body = await request.json();
        if (body === undefined) {
          throw new WharfError('invalid-argument', 'invalid JSON: got EOF while reading request body');
        }
        const decoded = decodeContainerCreate(body);
        const { config, hostConfig, networkingConfig } = createForVersion(decoded, request, hostFacts.version);
        const platform = request.atLeast(41) ? request.query.get('platform') : undefined;
        const { id, warnings } = await containers.create({
          name: request.query.get('name'),
          config,
          hostConfig,
          networkingConfig,
          platform: platform ? parsePlatform(platform) : undefined,
          shallowReadOnly: !request.atLeast(44),
        });
        response.json(201, { Id: id, Warnings: [...versionWarnings(decoded.config, request), ...warnings] });
      },
    },
    {
      method: 'POST',
      pattern: '/containers/prune',
      handler: async (request, response) => {
        const { deleted, spaceReclaimedBytes } = await containers.prune(request.query.filters());
        response.json(200, {
          ContainersDeleted: deleted.length > 0 ? deleted : null,
          SpaceReclaimed: spaceReclaimedBytes,
        });
      },
    },
    {
      method: 'POST',
      pattern: '/commit',
      handler: (request, response) => commit(engine, request, response),
    },
    {
      method: 'GET',
      // `linking/alias` is a name too.
      pattern: '/containers/{id:.*}/json',
      handler: async (request, response) => response.json(200, await inspectContainer(engine, request, hostFacts)),
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/top',
      handler: async (request, response) =>
        response.json(200, await containers.top(idOf(request), request.query.get('ps_args') || '-ef')),
    },
  ];
}

function lifeRoutes(engine: Engine): readonly Route[] {
  const { containers } = engine;
  return [
    {
      method: 'POST',
      pattern: '/containers/{id}/start',
      handler: async (request, response) => {
        const checkpoint = request.query.get('checkpoint');
        const checkpointDirectory = request.query.get('checkpoint-dir');
        await containers.start(idOf(request), {
          ...(checkpoint ? { checkpoint } : {}),
          ...(checkpointDirectory ? { checkpointDirectory } : {}),
        });
        response.empty(204);
      },
    },
    verb('/containers/{id}/stop', (request) => containers.stop(idOf(request), stopOptions(request))),
    verb('/containers/{id}/restart', (request) => containers.restart(idOf(request), stopOptions(request))),
    verb('/containers/{id}/kill', (request) =>
      containers.kill(idOf(request), request.query.get('signal') || undefined),
    ),
    verb('/containers/{id}/pause', (request) => containers.pause(idOf(request))),
    verb('/containers/{id}/unpause', (request) => containers.unpause(idOf(request))),
    {
      method: 'POST',
      pattern: '/containers/{id}/wait',
      handler: (request, response) => wait(engine, request, response),
    },
  ];
}

/** A POST without a body either way. */
function verb(pattern: string, work: (request: ApiRequest) => Promise<void>): Route {
  return {
    method: 'POST',
    pattern,
    handler: async (request, response) => {
      await work(request);
      response.empty(204);
    },
  };
}

function stopOptions(request: ApiRequest): StopOptions {
  return {
    timeoutSeconds: request.query.int('t'),
    signal: request.atLeast(42) ? request.query.get('signal') || undefined : undefined,
  };
}

function changeRoutes(engine: Engine): readonly Route[] {
  const { containers } = engine;
  return [
    verb('/containers/{id}/rename', (request) => containers.rename(idOf(request), request.query.get('name') ?? '')),
    {
      method: 'POST',
      pattern: '/containers/{id}/update',
      handler: async (request, response) => {
        const update = updateForVersion(decodeContainerUpdate(await request.json()), request);
        const { warnings } = await containers.update(idOf(request), update);
        response.json(200, { Warnings: warnings.length > 0 ? warnings : null });
      },
    },
    {
      method: 'DELETE',
      pattern: '/containers/{id:.*}',
      handler: async (request, response) => {
        await containers.remove(idOf(request), {
          force: request.query.bool('force'),
          removeVolumes: request.query.bool('v'),
          link: request.query.bool('link'),
        });
        response.empty(204);
      },
    },
  ];
}

function checkpointRoutes(engine: Engine): readonly Route[] {
  const { containers } = engine;
  return [
    {
      method: 'GET',
      pattern: '/containers/{id}/checkpoints',
      handler: async (request, response) => {
        const names = await containers.checkpointList(idOf(request), request.query.get('dir') || undefined);
        response.json(
          200,
          names.map((Name) => ({ Name })),
        );
      },
    },
    {
      method: 'POST',
      pattern: '/containers/{id}/checkpoints',
      handler: async (request, response) => {
        const body = decodeCheckpointCreate(await request.json());
        await containers.checkpointCreate(idOf(request), {
          checkpoint: body.CheckpointID ?? '',
          exit: body.Exit === true,
          directory: body.CheckpointDir || undefined,
        });
        response.empty(201);
      },
    },
    {
      method: 'DELETE',
      pattern: '/containers/{id}/checkpoints/{checkpoint}',
      handler: async (request, response) => {
        const { checkpoint = '' } = request.params;
        await containers.checkpointRemove(idOf(request), checkpoint, request.query.get('dir') || undefined);
        response.empty(204);
      },
    },
  ];
}

/** The head is sent before the container has ended: clients take it as the sign that a start cannot be missed. */
async function wait(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const condition = waitCondition(request);
  const waiting = engine.containers.wait(idOf(request), condition, request.signal);
  const stream = response.stream(200, 'application/json');
  let result: WaitResult;
  try {
    result = await waiting.result;
  } catch (error) {
    if (request.signal.aborted) return;
    throw error;
  }
  const failure = result.error === undefined ? {} : { Error: { Message: result.error } };
  await stream.write(`${stringifyJson({ StatusCode: result.exitCode, ...failure })}\n`);
  stream.end();
}

function waitCondition(request: ApiRequest): WaitCondition {
  const given = request.atLeast(30) ? request.query.get('condition') || 'not-running' : 'not-running';
  if (given === 'not-running' || given === 'next-exit' || given === 'removed') return given;
  throw new WharfError('invalid-argument', `invalid condition: "${given}"`);
}

async function commit(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const { query } = request;
  const body = await request.json();
  const repository = query.get('repo');
  const tag = query.get('tag');
  if (repository && tag && !/^[\w][\w.-]{0,127}$/.test(tag))
    throw new WharfError('invalid-argument', 'invalid tag format');
  const id = await engine.containers.commit(query.get('container') ?? '', {
    reference: repository ? (tag ? `${repository}:${tag}` : repository) : undefined,
    comment: query.get('comment') ?? '',
    author: query.get('author') ?? '',
    // Absent means yes.
    pause: query.has('pause') ? query.bool('pause') : true,
    config: body === undefined || body === null ? undefined : decodeContainerConfig(body),
    changes: query.getAll('changes').flatMap((change) => change.split('\n')),
  });
  response.json(201, { Id: id });
}
