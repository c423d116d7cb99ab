import { message } from '@wharf/wire/grpc/protobuf';
import { Timestamp, type TimestampMessage } from './messages.ts';

/** BuildKit's messages of the build history, and containerd's of the content store, through which its documents are read. */

const Descriptor = message('Descriptor', {
  ...{
    1: ['media_type', 'string'],
    2: ['digest', 'string'],
    3: ['size', 'int'],
    5: ['annotations', { map: 'string' }],
  },
});
const BuildResultInfo = message('BuildResultInfo', {
  1: ['ResultDeprecated', Descriptor],
  2: ['Attestations', [Descriptor]],
  3: ['Results', [message('ResultsEntry', { 1: ['key', 'int'], 2: ['value', Descriptor] })]],
});
const BuildHistoryRecord = message('BuildHistoryRecord', {
  1: ['Ref', 'string'],
  2: ['Frontend', 'string'],
  3: ['FrontendAttrs', { map: 'string' }],
  4: ['Exporters', [message('Exporter', { 1: ['Type', 'string'], 2: ['Attrs', { map: 'string' }] })]],
  5: ['error', message('google.rpc.Status', { 1: ['code', 'int'], 2: ['message', 'string'] })],
  6: ['CreatedAt', Timestamp],
  7: ['CompletedAt', Timestamp],
  8: ['logs', Descriptor],
  9: ['ExporterResponse', { map: 'string' }],
  10: ['Result', BuildResultInfo],
  11: ['Results', { map: BuildResultInfo }],
  12: ['Generation', 'int'],
  13: ['trace', Descriptor],
  14: ['pinned', 'bool'],
  15: ['numCachedSteps', 'int'],
  16: ['numTotalSteps', 'int'],
  17: ['numCompletedSteps', 'int'],
  18: ['externalError', Descriptor],
  19: ['numWarnings', 'int'],
});
export const BuildHistoryEvent = message('BuildHistoryEvent', {
  1: ['type', 'int'],
  2: ['record', BuildHistoryRecord],
});

export const BuildHistoryRequest = message('BuildHistoryRequest', {
  ...{ 1: ['ActiveOnly', 'bool'], 2: ['Ref', 'string'], 3: ['EarlyExit', 'bool'], 4: ['Filter', ['string']] },
  5: ['Limit', 'int'],
});
export interface HistoryRequest {
  readonly ActiveOnly: boolean;
  readonly Ref: string;
  readonly EarlyExit: boolean;
  readonly Filter: readonly string[];
  readonly Limit: number;
}

export const UpdateBuildHistoryRequest = message('UpdateBuildHistoryRequest', {
  ...{ 1: ['Ref', 'string'], 2: ['Pinned', 'bool'], 3: ['Delete', 'bool'], 4: ['Finalize', 'bool'] },
});
export interface HistoryUpdate {
  readonly Ref: string;
  readonly Pinned: boolean;
  readonly Delete: boolean;
  readonly Finalize: boolean;
}

// containerd.services.content.v1

const Info = message('Info', {
  ...{ 1: ['digest', 'string'], 2: ['size', 'int'], 3: ['created_at', Timestamp], 4: ['updated_at', Timestamp] },
  5: ['labels', { map: 'string' }],
});
export interface InfoMessage {
  readonly digest: string;
  readonly size: number;
  readonly created_at?: TimestampMessage;
}
export const ContentInfoRequest = message('InfoRequest', { 1: ['digest', 'string'] });
export const ContentInfoResponse = message('InfoResponse', { 1: ['info', Info] });
export const ReadContentRequest = message('ReadContentRequest', {
  ...{ 1: ['digest', 'string'], 2: ['offset', 'int'], 3: ['size', 'int'] },
});
export const ReadContentResponse = message('ReadContentResponse', { 1: ['offset', 'int'], 2: ['data', 'bytes'] });
