import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiRequest, ApiResponse, Route } from '@wharf/wire/http/route';
import { gateRoutes } from './restore-gate.ts';

const request = {} as ApiRequest;
const response = {} as ApiResponse;

function routes(answers: string[]): readonly Route[] {
  const route = (method: 'GET' | 'POST', pattern: string): Route => ({
    method,
    pattern,
    handler: () => {
      answers.push(`${method} ${pattern}`);
    },
  });
  return [
    route('GET', '/containers/json'),
    route('GET', '/containers/{id}/export'),
    route('POST', '/containers/create'),
  ];
}

test('gateRoutes() lets reads through, and changes once the engine has started', async () => {
  const started = Promise.withResolvers<void>();
  const answers: string[] = [];
  const [list, exported, create] = gateRoutes(routes(answers), { start: () => started.promise });
  await list?.handler(request, response);
  const waiting = [exported, create].map(async (route) => route?.handler(request, response));
  assert.deepEqual(answers, ['GET /containers/json']);
  started.resolve();
  for (const answer of waiting) await answer;
  assert.deepEqual(answers.slice(1).sort(), ['GET /containers/{id}/export', 'POST /containers/create']);
});

test('gateRoutes() tells who has waited long enough to come again, and passes on why a start failed', async () => {
  const never = new Promise<void>(() => undefined);
  const [, , stuck] = gateRoutes(routes([]), { start: () => never }, 5);
  await assert.rejects(async () => stuck?.handler(request, response), { kind: 'unavailable' });
  const failed = Promise.reject(new Error('no disk'));
  const [, , broken] = gateRoutes(routes([]), { start: () => failed }, 5);
  await assert.rejects(async () => broken?.handler(request, response), /no disk/);
});
