import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall } from '@wharf/wire/grpc/server';
import { parseFilters } from '../history/filter.ts';
import type { BuildHistory, HistoryEvent } from '../history/history.ts';
import type { BuildRecord, RecordBlob, RecordResult } from '../history/record.ts';
import * as pb from './history-messages.ts';
import { type StatusMessage, StatusResponse, timestamp } from './messages.ts';

/** BuildKit's `BuildHistoryEventType`. */
const EVENTS = { started: 0, complete: 1, deleted: 2 } as const;

/** The header of answers by whose clock clients tell how long a running build has taken. */
export const TIMESTAMP_HEADER = 'buildkit-current-timestamp';

/** What the log of a build is called (BuildKit, `solver/llbsolver/history`). */
export const LOG_TYPE = 'application/vnd.buildkit.status.v0';

const PIECE_BYTES = 64 * 1024;

/** `Control/ListenBuildHistory`: running builds, then finished ones, then what happens. */
export async function listenHistory(history: BuildHistory, request: pb.HistoryRequest, call: GrpcCall): Promise<void> {
  const { Ref, ActiveOnly, EarlyExit, Filter, Limit } = request;
  const matches = parseFilters(Filter, Date.now());
  // From before the records are read, so that nothing falls between.
  const events = history.follow(call.signal);
  const records = (await history.list()).filter(({ ref }) => Ref === '' || ref === Ref);
  const send = (event: HistoryEvent) => call.send(encode(pb.BuildHistoryEvent, eventMessage(event)));
  for (const record of records) if (record.completedAt === undefined) await send({ kind: 'started', record });
  if (!ActiveOnly) {
    const done = records.filter((record) => record.completedAt !== undefined && matches(record));
    for (const record of done.slice(0, Limit > 0 ? Limit : done.length)) await send({ kind: 'complete', record });
  }
  if (EarlyExit) return;
  for await (const event of events) {
    if (Ref === '' || Ref === (event.kind === 'deleted' ? event.ref : event.record.ref)) await send(event);
  }
}

/** `Control/UpdateBuildHistory`. Nothing is traced here, so a record is final when its build has ended. */
export async function updateHistory(history: BuildHistory, update: pb.HistoryUpdate): Promise<void> {
  if (update.Delete) await history.delete(update.Ref);
  else if (update.Finalize) await history.find(update.Ref);
  else await history.pin(update.Ref, update.Pinned);
}

/** Sends the log of a build that has ended, as `Control/Status` did while it ran. */
export async function replayStatus(history: BuildHistory, { logs }: BuildRecord, call: GrpcCall): Promise<void> {
  if (logs === undefined) return;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of (await history.content.open(logs.digest)) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const end = 4 + rest.readUInt32LE(0);
      await call.send(rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  }
}

/** The log of a build as a document: messages, each behind its length in four bytes, the lowest first. */
export function* encodeLog(messages: readonly StatusMessage[]): Generator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for (const message of messages) {
    const bytes = encode(StatusResponse, message);
    const header = Buffer.alloc(4);
    header.writeUInt32LE(bytes.length);
    pieces.push(header, bytes);
    length += bytes.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    length = 0;
  }
  yield Buffer.concat(pieces);
}

/** A history request as it came. */
export function historyRequest(bytes: Buffer): pb.HistoryRequest {
  return decode<pb.HistoryRequest>(pb.BuildHistoryRequest, bytes);
}

/** An update as it came. */
export function historyUpdate(bytes: Buffer): pb.HistoryUpdate {
  return decode<pb.HistoryUpdate>(pb.UpdateBuildHistoryRequest, bytes);
}

function eventMessage(event: HistoryEvent): object {
  const record = event.kind === 'deleted' ? { Ref: event.ref } : recordMessage(event.record);
  return { type: EVENTS[event.kind], record };
}

function recordMessage(record: BuildRecord): object {
  const { error, completedAt, errorDetails, logs, result, results, steps } = record;
  return {
    ...{ Ref: record.ref, Frontend: record.frontend, FrontendAttrs: record.attrs },
    Exporters: record.exporters.map(({ type, attrs }) => ({ Type: type, Attrs: attrs })),
    ...{ error, CreatedAt: timestamp(record.createdAt), ExporterResponse: record.response },
    CompletedAt: completedAt === undefined ? undefined : timestamp(completedAt),
    logs: logs && descriptor(logs),
    externalError: errorDetails && descriptor(errorDetails),
    Result: result && resultMessage(result),
    Results: Object.fromEntries(
      Object.entries(results ?? {}).map(([platform, each]) => [platform, resultMessage(each)]),
    ),
    ...{ Generation: record.generation, pinned: record.pinned, numCachedSteps: steps.cached },
    ...{ numTotalSteps: steps.total, numCompletedSteps: steps.completed, numWarnings: steps.warnings },
  };
}

function resultMessage({ results, attestations }: RecordResult): object {
  const made = Object.entries(results).map(([key, blob]) => ({ key: Number(key), value: descriptor(blob) }));
  return { ResultDeprecated: made[0]?.value, Attestations: attestations.map(descriptor), Results: made };
}

function descriptor({ mediaType, digest, size, annotations = {} }: RecordBlob): object {
  return { media_type: mediaType, digest, size, annotations };
}
