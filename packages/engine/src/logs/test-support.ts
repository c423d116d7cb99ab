import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerId, formatRfc3339NanoFixed, newId, nullLogger } from '@wharf/kit';
import type { HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { ContainerLog, LogQuery } from './log-service.ts';
import { createLogService } from './logs.ts';

/** A folder that is gone after the test. */
export async function tempDirectory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'wharf-logs-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

export function makeRecord(
  logConfig: HostConfig['LogConfig'],
  config: ContainerRecord['config'] = {},
  id: ContainerId = newId<'container'>(),
): ContainerRecord {
  return {
    id,
    name: 'web',
    createdAt: '2026-01-01T00:00:00Z',
    path: 'sh',
    args: [],
    config: { Image: 'busybox', ...config },
    hostConfig: { LogConfig: logConfig } as HostConfig,
    imageId: '',
    manifestDigest: '',
    platform: { os: 'linux', architecture: 'amd64' },
    chainId: '',
    snapshotKey: '',
    mounts: [],
    endpoints: [],
    ports: {},
    state: {
      status: 'running',
      pid: 1,
      monitorPid: 1,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: '',
      finishedAt: '',
      restartCount: 0,
      manuallyStopped: false,
      hasBeenStarted: true,
    },
  };
}

export function openLog(dataRoot: string, record: ContainerRecord): ContainerLog {
  return createLogService({
    dataRoot,
    defaults: { driver: 'json-file', options: {} },
    log: nullLogger,
  }).open(record);
}

/** One record as conmon writes it. */
export function criRecord(ns: bigint, stream: 'stdout' | 'stderr', text: string, partial = false): string {
  return `${formatRfc3339NanoFixed(ns).slice(0, -1)}+00:00 ${stream} ${partial ? 'P' : 'F'} ${text}\n`;
}

export function appendSpool(dataRoot: string, record: ContainerRecord, text: string): void {
  appendFileSync(join(dataRoot, 'containers', record.id, 'log', 'container.log'), text);
}

export const everything: LogQuery = {
  stdout: true,
  stderr: true,
  follow: false,
  signal: new AbortController().signal,
};

/** What the endpoint would send, as text. */
export async function readText(
  log: ContainerLog,
  query: Partial<LogQuery> = {},
  format: { readonly timestamps?: boolean; readonly details?: boolean; readonly framed?: boolean } = {},
  onPiece: () => void = () => undefined,
): Promise<string> {
  const pieces: Buffer[] = [];
  await log.streamTo(
    { ...everything, ...query },
    { framed: false, timestamps: false, details: false, ...format },
    async (piece) => {
      pieces.push(piece);
      onPiece();
    },
  );
  return Buffer.concat(pieces).toString();
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineAt = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadlineAt, 'deadline');
    await sleep(2);
  }
}
