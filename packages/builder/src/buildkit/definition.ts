import { createHash } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';

/** BuildKit's low-level graphs (solver/pb/ops.proto), as far as they are needed: those of one source. */
const Source = message('pb.SourceOp', { 1: ['identifier', 'string'], 2: ['attrs', { map: 'string' }] });
const Input = message('pb.Input', { 1: ['digest', 'string'], 2: ['index', 'int'] });
const Op = message('pb.Op', { 1: ['inputs', [Input]], 3: ['source', Source] });
const Metadata = message('pb.OpMetadata', {});
export const Definition = message('pb.Definition', { 1: ['def', ['bytes']], 2: ['metadata', { map: Metadata }] });

export interface DefinitionMessage {
  readonly def: readonly Uint8Array[];
}

export interface SourceMessage {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** A graph of one source. Clients hand it back as it is, whatever the source's identifier says. */
export function definitionOf(source: SourceMessage): object {
  const op = encode(Op, { source });
  const digest = digestOf(op);
  const end = encode(Op, { inputs: [{ digest, index: 0 }] });
  return { def: [op, end], metadata: { [digest]: {}, [digestOf(end)]: {} } };
}

/** The source that a graph consists of; `undefined` for an empty one. Throws `not-implemented` for graphs that do something. */
export function sourceOf({ def }: DefinitionMessage): SourceMessage | undefined {
  const end = def.at(-1);
  if (end === undefined) return undefined;
  const wanted = decode<{ readonly inputs: readonly { readonly digest: string }[] }>(Op, end).inputs[0]?.digest;
  const bytes = def.find((each) => digestOf(each) === wanted);
  const op = bytes === undefined ? undefined : decode<{ readonly source?: SourceMessage }>(Op, bytes);
  if (op?.source !== undefined) return op.source;
  throw new WharfError('not-implemented', 'Cannot run a low-level build graph: this builder takes Dockerfiles');
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
