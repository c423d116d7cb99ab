import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import type { ApiRequest, ApiResponse } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import type { LogFormat, LogQuery } from '../logs/log-service.ts';
import { logsRoutes } from './logs.ts';

interface Seen {
  query?: LogQuery;
  format?: LogFormat;
  contentType?: string;
}

/** Sends one request to the route of an engine whose only container's log records what it is asked. */
async function ask(
  parameters: Record<string, string>,
  { minor = 50, tty = false, status = 'running' } = {},
): Promise<Seen> {
  const seen: Seen = {};
  const log = {
    checkReadable() {},
    async streamTo(query: LogQuery, format: LogFormat) {
      Object.assign(seen, { query, format });
    },
  };
  const record = { id: 'x', config: { Tty: tty }, state: { status } };
  const engine = { containers: { get: () => record, log: () => log } } as unknown as Engine;
  const request = {
    params: { id: 'x' },
    query: { get: (name: string) => parameters[name], bool: (name: string) => parameters[name] === '1' },
    atLeast: (wanted: number) => minor >= wanted,
    signal: new AbortController().signal,
  } as unknown as ApiRequest;
  const response = {
    stream(_status: number, contentType: string) {
      seen.contentType = contentType;
      return { write: async () => undefined, end: () => undefined };
    },
  } as unknown as ApiResponse;
  const [route] = logsRoutes(engine);
  await route?.handler(request, response);
  return seen;
}

test('logs: times are read without losing nanoseconds', async () => {
  const { query } = await ask({ stdout: '1', since: '1700000000.000000001', until: '2023-11-14T22:13:21.5Z' });
  assert.equal(query?.sinceNs, 1_700_000_000_000_000_001n);
  assert.equal(query?.untilNs, 1_700_000_001_500_000_000n);
  assert.equal((await ask({ stdout: '1', since: '0', until: '' })).query?.sinceNs, undefined);
  assert.equal((await ask({ stdout: '1', since: '12.5' })).query?.sinceNs, 12_500_000_000n);
  await assert.rejects(ask({ stdout: '1', since: 'x' }), { kind: 'invalid-argument' });
});

test('logs: tail reads numbers, and everything else as all', async () => {
  const tails = [];
  for (const tail of ['10', '0', 'all', '-1', '', 'x']) tails.push((await ask({ stdout: '1', tail })).query?.tail);
  assert.deepEqual(tails, [10, 0, undefined, undefined, undefined, undefined]);
});

test('logs: refuses no stream and a dead container', async () => {
  await assert.rejects(ask({}), { message: 'Bad parameters: you must choose at least one stream' });
  await assert.rejects(
    ask({ stdout: '1' }, { status: 'dead' }),
    (error) => error instanceof WharfError && error.kind === 'conflict',
  );
});

test('logs: content type and frames follow the terminal and the version', async () => {
  const multiplexed = await ask({ stdout: '1', timestamps: '1' });
  assert.equal(multiplexed.contentType, 'application/vnd.docker.multiplexed-stream');
  assert.deepEqual(multiplexed.format, { framed: true, timestamps: true, details: false });
  assert.equal((await ask({ stdout: '1' }, { minor: 41 })).contentType, 'application/vnd.docker.raw-stream');
  const terminal = await ask({ stdout: '1' }, { tty: true });
  assert.equal(terminal.contentType, 'application/vnd.docker.raw-stream');
  assert.equal(terminal.format?.framed, false);
});
