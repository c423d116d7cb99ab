import { closeSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { BytesMessage } from '@wharf/builder/buildkit/messages';
import { messageOf, WharfError } from '@wharf/kit';
import { decode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall, GrpcHandler } from '@wharf/wire/grpc/server';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import type { OutputSink } from '../outputs.ts';
import { receiveDirectory } from './receive-directory.ts';
import { writeAll } from './write-all.ts';

const EXPORTER_ID = 'buildkit-attachable-exporter-id';

/** Takes what exporters hand over (BuildKit, `FileSend.DiffCopy`): an archive as a stream, or a directory file by file. */
export function fileSend(sinks: ReadonlyMap<number, OutputSink>, listener: (bytes: number) => void): GrpcHandler {
  return async (call) => {
    const id = Number(call.metadata.get(EXPORTER_ID)?.[0] ?? '0');
    const sink = sinks.get(id);
    if (sink === undefined) throw new GrpcError(GRPC.NOT_FOUND, `no target for exporter ${id}`);
    switch (sink.kind) {
      case 'directory':
      case 'store':
        return receiveDirectory(call, sink.path, sink.kind === 'directory' && sink.replace, listener);
      case 'stdout':
        return toStandardOutput(call, listener);
      case 'file':
        return toFile(call, sink.path, listener);
    }
  };
}

/** The file is there whole or, when the build fails meanwhile, as it was. */
async function toFile(call: GrpcCall, path: string, listener: (bytes: number) => void): Promise<void> {
  const temporary = `${path}.${process.pid}.part`;
  let fd: number;
  try {
    mkdirSync(dirname(path), { recursive: true });
    fd = openSync(temporary, 'w', 0o644);
  } catch (error) {
    throw new WharfError('failed-precondition', `Cannot write "${path}": ${messageOf(error)}`, { cause: error });
  }
  try {
    for await (const data of pieces(call)) {
      writeAll(fd, data);
      listener(data.length);
    }
    closeSync(fd);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function toStandardOutput(call: GrpcCall, listener: (bytes: number) => void): Promise<void> {
  const { stdout } = process;
  for await (const data of pieces(call)) {
    if (!stdout.write(data)) await new Promise<void>((resolve) => stdout.once('drain', () => resolve()));
    listener(data.length);
  }
}

async function* pieces(call: GrpcCall): AsyncGenerator<Uint8Array> {
  for await (const bytes of call.messages) yield decode<{ readonly data: Uint8Array }>(BytesMessage, bytes).data;
  call.signal.throwIfAborted();
}
