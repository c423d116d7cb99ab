import { parseRfc3339, WharfError } from '@wharf/kit';
import { LOGS_OF_DEAD_CONTAINER, NO_STREAM_CHOSEN } from '@wharf/wire/docker/messages';
import type { ApiRequest, ApiResponse, Query, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import type { LogQuery } from '../logs/log-service.ts';

export const RAW_STREAM = 'application/vnd.docker.raw-stream';
export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Reads `seconds[.fraction]` or RFC 3339 into nanoseconds since the epoch, digit by digit: a float would lose them.
 * Absent, empty and `0` are no bound. Throws `invalid-argument`.
 */
function readTime(query: Query, name: string): bigint | undefined {
  const text = query.get(name) ?? '';
  if (text === '' || text === '0') return undefined;
  const match = /^(-?)(\d{1,12})(?:\.(\d{0,20}))?$/.exec(text);
  if (match) {
    const fraction = BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
    const ns = BigInt(match[2] ?? '0') * NS_PER_SECOND;
    return match[1] === '-' ? -ns + fraction : ns + fraction;
  }
  const ns = parseRfc3339(text);
  if (ns === undefined) {
    throw new WharfError('invalid-argument', `invalid value for "${name}": invalid timestamp "${text}"`);
  }
  return ns;
}

/** Docker's `tail`: a number of lines; `all`, negative numbers and whatever else mean everything. */
function readTail(query: Query): number | undefined {
  const text = query.get('tail') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function readQuery({ query, signal }: ApiRequest): LogQuery {
  const stdout = query.bool('stdout');
  const stderr = query.bool('stderr');
  if (!stdout && !stderr) throw new WharfError('invalid-argument', NO_STREAM_CHOSEN);
  return {
    stdout,
    stderr,
    sinceNs: readTime(query, 'since'),
    untilNs: readTime(query, 'until'),
    tail: readTail(query),
    follow: query.bool('follow'),
    signal,
  };
}

async function sendLogs(engine: Engine, request: ApiRequest, response: ApiResponse): Promise<void> {
  const asked = readQuery(request);
  const record = engine.containers.get(request.params['id'] ?? '');
  // Of a container that does not run nothing more is to come, whatever may have been made ready for its start.
  const query = { ...asked, follow: asked.follow && record.state.pid > 0 };
  if (record.state.status === 'removing' || record.state.status === 'dead') {
    throw new WharfError('conflict', LOGS_OF_DEAD_CONTAINER);
  }
  const log = engine.containers.log(record.id);
  log.checkReadable();
  const terminal = record.config.Tty === true;
  const format = {
    framed: !terminal,
    timestamps: request.query.bool('timestamps'),
    details: request.query.bool('details'),
  };
  const contentType = !terminal && request.atLeast(42) ? MULTIPLEXED_STREAM : RAW_STREAM;
  const body = response.stream(200, contentType);
  await log.streamTo(query, format, (piece) => body.write(piece));
  body.end();
}

/** `GET /containers/{id}/logs`. */
export function logsRoutes(engine: Engine): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/containers/{id}/logs',
      handler: (request, response) => sendLogs(engine, request, response),
    },
  ];
}
