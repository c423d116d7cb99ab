import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';

/** BuildKit's low-level graphs (solver/pb/ops.proto), as far as they are needed: those of one source, or of a directory in it. */
export const Source = message('pb.SourceOp', { 1: ['identifier', 'string'], 2: ['attrs', { map: 'string' }] });
const Input = message('pb.Input', { 1: ['digest', 'string'], 2: ['index', 'int'] });
const Copy = message('pb.FileActionCopy', { 1: ['src', 'string'], 2: ['dest', 'string'], 6: ['contentsOnly', 'bool'] });
const FileAction = message('pb.FileAction', { 4: ['copy', Copy] });
const File = message('pb.FileOp', { 2: ['actions', [FileAction]] });
const Op = message('pb.Op', { 1: ['inputs', [Input]], 3: ['source', Source], 4: ['file', File] });
interface OpMessage {
  readonly source?: SourceMessage;
  readonly file?: { readonly actions: readonly { readonly copy?: CopyMessage }[] };
}
interface CopyMessage {
  readonly src: string;
  readonly dest: string;
  readonly contentsOnly: boolean;
}
/** Source, unpacking, end. */
const MAX_OPS = 3;
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

/**
 * The source that a graph begins with, and whether what it gives is unpacked: all that clients do to archives. Throws `not-implemented`
 * for graphs with more sources.
 */
export function sourcesOf(definition: DefinitionMessage): {
  readonly source: SourceMessage | undefined;
  readonly isUnpacked: boolean;
} {
  const ops = definition.def.map((bytes) => decode<OpMessage>(Op, bytes));
  const [source, ...more] = ops.flatMap((op) => op.source ?? []);
  // A file action is a COPY out of the source, which the low-level graph has as a step of its own.
  if (more.length > 0 || ops.length > MAX_OPS) throw notRun();
  return { source, isUnpacked: ops.length > 2 };
}

/** The source that a graph consists of; `undefined` for an empty one. Throws `not-implemented` for graphs that do something. */
export function sourceOf({ def }: DefinitionMessage): SourceMessage | undefined {
  const end = def.at(-1);
  if (end === undefined) return undefined;
  const wanted = decode<{ readonly inputs: readonly { readonly digest: string }[] }>(Op, end).inputs[0]?.digest;
  const bytes = def.find((each) => digestOf(each) === wanted);
  const op = bytes === undefined ? undefined : decode<OpMessage>(Op, bytes);
  if (op?.source !== undefined) return op.source;
  const { source, isUnpacked } = sourcesOf({ def });
  if (!isUnpacked || source === undefined) throw notRun();
  // An archive behind an address is unpacked wherever it is fetched.
  if (/^https?:/.test(source.identifier)) return source;
  const actions = op?.file?.actions ?? [];
  const [copy] = actions.flatMap((action) => action.copy ?? []);
  // `docker buildx bake` of a repository: a context is a directory of it, whole.
  const isDirectory = actions.length === 1 && copy?.contentsOnly === true && copy.dest === '/';
  if (!isDirectory || !source.identifier.startsWith('git://')) throw notRun();
  return { ...source, identifier: withDirectory(source.identifier, copy.src) };
}

/** The identifier of a repository with a directory below the one it names, as addresses have it: `#BRANCH:DIRECTORY`. */
function withDirectory(identifier: string, directory: string): string {
  const [address = '', fragment = ''] = splitOnce(identifier, '#');
  const [branch = '', above = ''] = splitOnce(fragment, ':');
  const path = posix.join('/', above, directory);
  return path === '/' ? identifier : `${address}#${branch}:${path.slice(1)}`;
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function notRun(): WharfError {
  return new WharfError('not-implemented', 'Cannot run a low-level build graph: this builder takes Dockerfiles');
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
