import type { Platform } from '@wharf/oci/spec/image';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';
import type { GrpcHandler } from '@wharf/wire/grpc/server';
import type { Builder } from '../build.ts';
import { Source, type SourceMessage } from './definition.ts';
import { firstMessage } from './first-message.ts';
import { resolveImage, type SourceTools } from './gateway-sources.ts';
import { Stat } from './messages.ts';
import { ResultFiles } from './result-files.ts';
import type { Results } from './results.ts';

const FileRange = message('FileRange', { 1: ['Offset', 'int'], 2: ['Length', 'int'] });
const ReadFileRequest = message('ReadFileRequest', {
  1: ['Ref', 'string'],
  2: ['FilePath', 'string'],
  3: ['Range', FileRange],
});
const ReadFileResponse = message('ReadFileResponse', { 1: ['Data', 'bytes'] });
const ReadDirRequest = message('ReadDirRequest', {
  ...{ 1: ['Ref', 'string'], 2: ['DirPath', 'string'], 3: ['IncludePattern', 'string'] },
});
const ReadDirResponse = message('ReadDirResponse', { 1: ['entries', [Stat]] });
const StatFileRequest = message('StatFileRequest', { 1: ['Ref', 'string'], 2: ['Path', 'string'] });
const StatFileResponse = message('StatFileResponse', { 1: ['stat', Stat] });
const PlatformMessage = message('pb.Platform', {
  ...{ 1: ['Architecture', 'string'], 2: ['OS', 'string'], 3: ['Variant', 'string'] },
});
const ResolveRequest = message('ResolveImageConfigRequest', {
  ...{ 1: ['Ref', 'string'], 2: ['Platform', PlatformMessage], 3: ['ResolveMode', 'string'] },
});
const ResolveResponse = message('ResolveImageConfigResponse', {
  ...{ 1: ['Digest', 'string'], 2: ['Config', 'bytes'], 3: ['Ref', 'string'] },
});
const SourceMetaRequest = message('ResolveSourceMetaRequest', {
  ...{ 1: ['Source', Source], 2: ['Platform', PlatformMessage], 4: ['ResolveMode', 'string'] },
});
const SourceMetaResponse = message('ResolveSourceMetaResponse', {
  1: ['Source', Source],
  2: ['Image', message('ResolveSourceImageResponse', { 1: ['Digest', 'string'], 2: ['Config', 'bytes'] })],
});

interface WantedPlatform {
  readonly Architecture: string;
  readonly OS: string;
  readonly Variant: string;
}

/** What the gateway tells of results and of images (BuildKit, `LLBBridge`). */
export function gatewayFiles(
  builder: Builder,
  results: Results,
  /** What the build of a call lends. */
  toolsOf: (call: Parameters<GrpcHandler>[0]) => Promise<Pick<SourceTools, 'credentials' | 'signal'>>,
): ReadonlyMap<string, GrpcHandler> {
  const files = new ResultFiles(builder);
  const bridge = '/moby.buildkit.v1.frontend.LLBBridge/';
  const image = async (
    call: Parameters<GrpcHandler>[0],
    reference: string,
    wanted: WantedPlatform | undefined,
    mode: string,
  ) => {
    const tools = await toolsOf(call);
    const found = await resolveImage(reference, platformOf(wanted), { builder, ...tools, pull: mode === 'pull' });
    return { Digest: found.digest ?? '', Config: Buffer.from(JSON.stringify(found.config)) };
  };
  return new Map<string, GrpcHandler>([
    [
      `${bridge}ReadFile`,
      async (call) => {
        const { Ref, FilePath, Range } = decode<{
          readonly Ref: string;
          readonly FilePath: string;
          readonly Range?: { readonly Offset: number; readonly Length: number };
        }>(ReadFileRequest, await firstMessage(call));
        const range = { offset: Range?.Offset ?? 0, length: Range?.Length ?? 0 };
        await call.send(encode(ReadFileResponse, { Data: await files.read(results.get(Ref), FilePath, range) }));
      },
    ],
    [
      `${bridge}ReadDir`,
      async (call) => {
        const { Ref, DirPath, IncludePattern } = decode<{
          readonly Ref: string;
          readonly DirPath: string;
          readonly IncludePattern: string;
        }>(ReadDirRequest, await firstMessage(call));
        const entries = await files.list(results.get(Ref), DirPath, IncludePattern);
        await call.send(encode(ReadDirResponse, { entries }));
      },
    ],
    [
      `${bridge}StatFile`,
      async (call) => {
        const { Ref, Path } = decode<{ readonly Ref: string; readonly Path: string }>(
          StatFileRequest,
          await firstMessage(call),
        );
        await call.send(encode(StatFileResponse, { stat: await files.stat(results.get(Ref), Path) }));
      },
    ],
    [
      `${bridge}ResolveImageConfig`,
      async (call) => {
        const { Ref, Platform, ResolveMode } = decode<{
          readonly Ref: string;
          readonly Platform?: WantedPlatform;
          readonly ResolveMode: string;
        }>(ResolveRequest, await firstMessage(call));
        await call.send(encode(ResolveResponse, { Ref, ...(await image(call, Ref, Platform, ResolveMode)) }));
      },
    ],
    [
      `${bridge}ResolveSourceMeta`,
      async (call) => {
        const { Source, Platform, ResolveMode } = decode<{
          readonly Source?: SourceMessage;
          readonly Platform?: WantedPlatform;
          readonly ResolveMode: string;
        }>(SourceMetaRequest, await firstMessage(call));
        const reference = /^docker-image:\/\/(.*)$/.exec(Source?.identifier ?? '')?.[1];
        const Image = reference === undefined ? undefined : await image(call, reference, Platform, ResolveMode);
        await call.send(encode(SourceMetaResponse, { Source, Image }));
      },
    ],
  ]);
}

function platformOf(wanted: WantedPlatform | undefined): Platform {
  if (wanted === undefined || wanted.OS === '') return hostPlatform();
  const { OS: os, Architecture: architecture, Variant: variant } = wanted;
  return { os, architecture, ...(variant === '' ? {} : { variant }) };
}
