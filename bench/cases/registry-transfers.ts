import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, type Scale, timed } from '../lib/case.ts';
import { type BenchFile, BenchRegistry, randomFile } from '../lib/registry.ts';

const opened = new Map<string, BenchRegistry>();
let folder: string | undefined;
let large: BenchFile | undefined;
let parts: readonly BenchFile[] = [];
let serial = 0;

async function makeFiles({ quick }: Scale): Promise<void> {
  if (folder !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'wharf-bench-files-'));
  large = await randomFile(folder, 'large', quick ? 256 : 1024);
  const made: BenchFile[] = [];
  for (let part = 0; part < 8; part += 1) made.push(await randomFile(folder, `part${part}`, quick ? 16 : 64));
  parts = made;
}

function dropFiles(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

function at(name: string): { readonly registry: BenchRegistry; readonly file: BenchFile } {
  const registry = opened.get(name);
  if (registry === undefined || large === undefined) throw new Error('the registry has not been started');
  return { registry, file: large };
}

/** Blobs in and out: one large one, and eight at once; and what that costs the server's processor. */
export const registryTransfers: Case = {
  name: 'registry-transfers',
  metrics: [
    { name: 'up', title: 'registry: upload of 1 GiB', unit: 'ms', maxRatio: 1 / 1.7 },
    { name: 'up-cpu', title: 'registry: processor time of that', unit: 'ms', maxRatio: 1 },
    { name: 'up8', title: 'registry: eight uploads of 64 MiB at once', unit: 'ms', maxRatio: 1 / 2 },
    { name: 'down', title: 'registry: download of 1 GiB', unit: 'ms', maxRatio: 1 },
    { name: 'down-cpu', title: 'registry: processor time of that', unit: 'ms', maxRatio: 1 },
    { name: 'down8', title: 'registry: eight downloads of 64 MiB at once', unit: 'ms', maxRatio: 1 },
  ],
  rounds: ({ quick }) => (quick ? 2 : 5),
  async prepare({ name }, scale) {
    await makeFiles(scale);
    const registry = await BenchRegistry.open(name);
    opened.set(name, registry);
    await registry.start();
    if (parts[0] !== undefined) await registry.upload('bench/warm', parts[0]);
  },
  async round({ name }) {
    const { registry, file } = at(name);
    serial += 1;
    const repository = `bench/r${serial}`;
    const cpu0 = registry.cpuMs();
    const up = await timed(() => registry.upload(repository, file));
    const cpu1 = registry.cpuMs();
    const down = await timed(() => registry.download(repository, file));
    const cpu2 = registry.cpuMs();
    const up8 = await timed(() => Promise.all(parts.map((part) => registry.upload(repository, part))));
    const down8 = await timed(() => Promise.all(parts.map((part) => registry.download(repository, part))));
    return { up, 'up-cpu': cpu1 - cpu0, down, 'down-cpu': cpu2 - cpu1, up8, down8 };
  },
  async cleanUp({ name }) {
    await opened.get(name)?.[Symbol.asyncDispose]();
    opened.delete(name);
    if (opened.size === 0) dropFiles();
  },
};

const SLOW_CLIENTS = 200;

/** The most memory our server takes while much goes in and out, and two hundred others hardly move. */
export const registryMemory: Case = {
  name: 'registry-memory',
  metrics: [{ name: 'peak', title: 'registry: memory at most, 8 + 8 GiB moving', unit: 'MiB', maxValue: 200 }],
  rounds: () => 1,
  async prepare({ name }, scale) {
    if (name !== 'wharf') return;
    await makeFiles(scale);
    const registry = await BenchRegistry.open(name);
    opened.set(name, registry);
    await registry.start();
  },
  async round({ name }): Promise<Readonly<Record<string, number>>> {
    if (name !== 'wharf') return {};
    const { registry, file } = at(name);
    await registry.upload('bench/first', file);
    const slow = Array.from({ length: SLOW_CLIENTS }, (_, number) => slowClient(registry, file, number % 2 === 0));
    try {
      const eight = Array.from({ length: 8 }, (_, number) => `bench/m${number}`);
      await Promise.all([
        ...eight.map((repository) => registry.upload(repository, file)),
        ...eight.map(() => registry.download('bench/first', file)),
      ]);
      const gone = slow.filter((socket) => socket.destroyed).length;
      if (gone > 0) throw new Error(`${gone} of the slow clients were thrown out`);
      return { peak: registry.peakBytes() / (1024 * 1024) };
    } finally {
      for (const socket of slow) socket.destroy();
    }
  },
  async cleanUp({ name }) {
    await opened.get(name)?.[Symbol.asyncDispose]();
    opened.delete(name);
    if (opened.size === 0) dropFiles();
  },
};

/** Somebody who takes, or sends, a few bytes now and then. */
function slowClient(registry: BenchRegistry, file: BenchFile, pulls: boolean): Socket {
  const socket = connect(registry.port, '127.0.0.1');
  socket.on('error', () => {});
  if (pulls) {
    socket.write(`GET /v2/bench/first/blobs/${file.digest} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const take = setInterval(() => socket.read(16 * 1024), 200);
    socket.pause().on('close', () => clearInterval(take));
    return socket;
  }
  const bytes = randomBytes(1000);
  const head = `POST /v2/bench/slow/blobs/uploads/?digest=${file.digest} HTTP/1.1\r\nHost: x\r\n`;
  socket.write(`${head}Content-Type: application/octet-stream\r\nContent-Length: ${file.sizeBytes}\r\n\r\n`);
  const send = setInterval(() => socket.write(bytes), 200);
  socket.on('close', () => clearInterval(send)).resume();
  return socket;
}
