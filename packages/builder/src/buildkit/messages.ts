import { message } from '@wharf/wire/grpc/protobuf';
import { Definition, type DefinitionMessage } from './definition.ts';

/** Messages of BuildKit's control, gateway and session protocols, as far as they are used; field numbers as its .proto files have them. */

export const Timestamp = message('google.protobuf.Timestamp', { 1: ['seconds', 'int'], 2: ['nanos', 'int'] });
const GrpcStatus = message('google.rpc.Status', { 1: ['code', 'int'], 2: ['message', 'string'] });
const Platform = message('pb.Platform', {
  ...{ 1: ['Architecture', 'string'], 2: ['OS', 'string'], 3: ['Variant', 'string'] },
});
const Exporter = message('Exporter', { 1: ['Type', 'string'], 2: ['Attrs', { map: 'string' }] });
const CacheEntry = message('CacheOptionsEntry', { 1: ['Type', 'string'], 2: ['Attrs', { map: 'string' }] });

export interface ExporterMessage {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

// Control

export const Empty = message('Empty', {});

const Version = message('BuildkitVersion', {
  ...{
    1: ['package', 'string'],
    2: ['version', 'string'],
    3: ['revision', 'string'],
    4: ['dockerfileVersion', 'string'],
  },
});
const Worker = message('WorkerRecord', {
  1: ['ID', 'string'],
  2: ['Labels', { map: 'string' }],
  3: ['platforms', [Platform]],
  5: ['BuildkitVersion', Version],
});
export const ListWorkersResponse = message('ListWorkersResponse', { 1: ['record', [Worker]] });
export const InfoResponse = message('InfoResponse', { 1: ['buildkitVersion', Version] });

export const ControlSolveRequest = message('control.SolveRequest', {
  1: ['Ref', 'string'],
  3: ['ExporterDeprecated', 'string'],
  4: ['ExporterAttrsDeprecated', { map: 'string' }],
  5: ['Session', 'string'],
  6: ['Frontend', 'string'],
  7: ['FrontendAttrs', { map: 'string' }],
  8: ['Cache', message('CacheOptions', { 4: ['Exports', [CacheEntry]], 5: ['Imports', [CacheEntry]] })],
  9: ['Entitlements', ['string']],
  10: ['FrontendInputs', { map: Definition }],
  11: ['Internal', 'bool'],
  13: ['Exporters', [Exporter]],
});
export interface ControlSolve {
  readonly Ref: string;
  readonly ExporterDeprecated: string;
  readonly ExporterAttrsDeprecated: Readonly<Record<string, string>>;
  readonly Session: string;
  readonly Frontend: string;
  readonly FrontendAttrs: Readonly<Record<string, string>>;
  readonly Cache?: { readonly Exports: readonly ExporterMessage[]; readonly Imports: readonly ExporterMessage[] };
  readonly Entitlements: readonly string[];
  readonly FrontendInputs?: Readonly<Record<string, DefinitionMessage>>;
  readonly Internal: boolean;
  readonly Exporters: readonly ExporterMessage[];
}
export const ControlSolveResponse = message('control.SolveResponse', { 1: ['ExporterResponse', { map: 'string' }] });

export const StatusRequest = message('StatusRequest', { 1: ['Ref', 'string'] });
const Vertex = message('Vertex', {
  1: ['digest', 'string'],
  2: ['inputs', ['string']],
  3: ['name', 'string'],
  4: ['cached', 'bool'],
  5: ['started', Timestamp],
  6: ['completed', Timestamp],
  7: ['error', 'string'],
});
const VertexStatus = message('VertexStatus', {
  1: ['ID', 'string'],
  2: ['vertex', 'string'],
  3: ['name', 'string'],
  4: ['current', 'int'],
  5: ['total', 'int'],
  6: ['timestamp', Timestamp],
  7: ['started', Timestamp],
  8: ['completed', Timestamp],
});
const VertexLog = message('VertexLog', {
  ...{ 1: ['vertex', 'string'], 2: ['timestamp', Timestamp], 3: ['stream', 'int'], 4: ['msg', 'bytes'] },
});
const Position = message('pb.Position', { 1: ['line', 'int'], 2: ['character', 'int'] });
const Range = message('pb.Range', { 1: ['start', Position], 2: ['end', Position] });
const SourceInfo = message('pb.SourceInfo', {
  1: ['filename', 'string'],
  2: ['data', 'bytes'],
  4: ['language', 'string'],
});
const VertexWarning = message('VertexWarning', {
  ...{
    1: ['vertex', 'string'],
    2: ['level', 'int'],
    3: ['short', 'bytes'],
    4: ['detail', ['bytes']],
    5: ['url', 'string'],
  },
  ...{ 6: ['info', SourceInfo], 7: ['ranges', [Range]] },
});
export const StatusResponse = message('StatusResponse', {
  ...{ 1: ['vertexes', [Vertex]], 2: ['statuses', [VertexStatus]], 3: ['logs', [VertexLog]] },
  ...{ 4: ['warnings', [VertexWarning]] },
});

export interface TimestampMessage {
  readonly seconds: number;
  readonly nanos: number;
}
/** A time in milliseconds since 1970. */
export function timestamp(ms: number): TimestampMessage {
  const whole = Math.floor(ms);
  return { seconds: Math.floor(whole / 1000), nanos: (whole % 1000) * 1_000_000 };
}
export interface VertexMessage {
  readonly digest: string;
  readonly inputs?: readonly string[];
  readonly name: string;
  readonly cached?: boolean;
  readonly started?: TimestampMessage;
  readonly completed?: TimestampMessage;
  readonly error?: string;
}
export interface VertexStatusMessage {
  readonly ID: string;
  readonly vertex: string;
  readonly name?: string;
  readonly current?: number;
  readonly total?: number;
  readonly timestamp?: TimestampMessage;
  readonly started?: TimestampMessage;
  readonly completed?: TimestampMessage;
}
export interface VertexWarningMessage {
  readonly vertex: string;
  readonly level: number;
  readonly short: Uint8Array;
  readonly detail: readonly Uint8Array[];
  readonly url: string;
  readonly info: { readonly filename: string; readonly data: Uint8Array; readonly language: string };
  readonly ranges: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}
export interface StatusMessage {
  readonly warnings?: readonly VertexWarningMessage[];
  readonly vertexes?: readonly VertexMessage[];
  readonly statuses?: readonly VertexStatusMessage[];
  readonly logs?: readonly {
    readonly vertex: string;
    readonly timestamp: TimestampMessage;
    readonly stream: number;
    readonly msg: Uint8Array;
  }[];
}

const UsageRecord = message('UsageRecord', {
  1: ['ID', 'string'],
  2: ['Mutable', 'bool'],
  3: ['InUse', 'bool'],
  4: ['Size', 'int'],
  6: ['CreatedAt', Timestamp],
  7: ['LastUsedAt', Timestamp],
  8: ['UsageCount', 'int'],
  9: ['Description', 'string'],
  10: ['RecordType', 'string'],
  11: ['Shared', 'bool'],
  12: ['Parents', ['string']],
});
export const UsageRecordMessage = UsageRecord;
export const DiskUsageRequest = message('DiskUsageRequest', { 1: ['filter', ['string']] });
export const DiskUsageResponse = message('DiskUsageResponse', { 1: ['record', [UsageRecord]] });
export const PruneRequest = message('PruneRequest', {
  ...{ 1: ['filter', ['string']], 2: ['all', 'bool'], 3: ['keepDuration', 'int'] },
  ...{ 4: ['reservedSpace', 'int'], 5: ['maxUsedSpace', 'int'], 6: ['minFreeSpace', 'int'] },
});

export interface Prune {
  readonly filter: readonly string[];
  readonly all: boolean;
  /** Nanoseconds. */
  readonly keepDuration: number;
  readonly reservedSpace: number;
  readonly maxUsedSpace: number;
  readonly minFreeSpace: number;
}

// Gateway

const Capability = message('APICap', { 1: ['ID', 'string'], 2: ['Enabled', 'bool'] });
export const PongResponse = message('PongResponse', {
  ...{ 1: ['FrontendAPICaps', [Capability]], 2: ['LLBCaps', [Capability]], 3: ['Workers', [Worker]] },
});
const Ref = message('Ref', { 1: ['id', 'string'], 2: ['def', Definition] });
const Result = message('Result', {
  1: ['refDeprecated', 'string'],
  3: ['ref', Ref],
  4: ['refs', message('RefMap', { 1: ['refs', { map: Ref }] })],
  10: ['metadata', { map: 'bytes' }],
});
/** A result, and the graph that stands for it. */
export interface RefMessage {
  readonly id: string;
  readonly def?: object;
}
export interface ResultMessage {
  readonly refDeprecated?: string;
  readonly ref?: RefMessage;
  readonly refs?: { readonly refs: Readonly<Record<string, RefMessage>> };
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}
export const BridgeSolveRequest = message('frontend.SolveRequest', {
  1: ['Definition', Definition],
  2: ['Frontend', 'string'],
  3: ['FrontendOpt', { map: 'string' }],
  12: ['CacheImports', [CacheEntry]],
  13: ['FrontendInputs', { map: Definition }],
  14: ['Evaluate', 'bool'],
});
export interface BridgeSolve {
  readonly Definition?: DefinitionMessage;
  readonly Frontend: string;
  readonly FrontendOpt: Readonly<Record<string, string>>;
  readonly FrontendInputs: Readonly<Record<string, DefinitionMessage>>;
  /** A step that fails is to fail the call, too. */
  readonly Evaluate: boolean;
}
export const EvaluateRequest = message('EvaluateRequest', { 1: ['Ref', 'string'] });
export const BridgeSolveResponse = message('frontend.SolveResponse', { 1: ['ref', 'string'], 3: ['result', Result] });
export const ReturnRequest = message('ReturnRequest', { 1: ['result', Result], 2: ['error', GrpcStatus] });
export interface Returned {
  readonly result?: ResultMessage;
  readonly error?: { readonly code: number; readonly message: string };
}

// Sessions

export const BytesMessage = message('BytesMessage', { 1: ['data', 'bytes'] });
export const Stat = message('fsutil.Stat', {
  1: ['path', 'string'],
  2: ['mode', 'int'],
  3: ['uid', 'int'],
  4: ['gid', 'int'],
  5: ['size', 'int'],
  6: ['modTime', 'bigint'],
  7: ['linkname', 'string'],
  8: ['devmajor', 'int'],
  9: ['devminor', 'int'],
  10: ['xattrs', { map: 'bytes' }],
});
export const Packet = message('fsutil.Packet', {
  ...{ 1: ['type', 'int'], 2: ['stat', Stat], 3: ['ID', 'int'], 4: ['data', 'bytes'] },
});
export interface StatMessage {
  readonly path: string;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly modTime: bigint;
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
}
export interface PacketMessage {
  readonly type: number;
  readonly stat?: StatMessage;
  readonly ID: number;
  readonly data: Uint8Array;
}
export const GetSecretRequest = message('GetSecretRequest', { 1: ['ID', 'string'] });
export const GetSecretResponse = message('GetSecretResponse', { 1: ['data', 'bytes'] });
export const CredentialsRequest = message('CredentialsRequest', { 1: ['Host', 'string'] });
export const CredentialsResponse = message('CredentialsResponse', {
  1: ['Username', 'string'],
  2: ['Secret', 'string'],
});
export const CheckAgentRequest = message('CheckAgentRequest', { 1: ['ID', 'string'] });

export const Healthy = message('grpc.health.v1.HealthCheckResponse', { 1: ['status', 'int'] });
