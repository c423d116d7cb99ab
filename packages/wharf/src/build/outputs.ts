import { statSync } from 'node:fs';
import { UsageError } from '../cli/errors.ts';
import { csvFields, csvPairs } from './csv.ts';
import { parseBoolean } from './parse-boolean.ts';

/** Where a result that comes as a stream or as files goes. */
export type OutputSink =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdout' }
  | { readonly kind: 'directory'; readonly path: string; readonly replace: boolean }
  /** An OCI layout whose blobs the daemon writes one by one. */
  | { readonly kind: 'store'; readonly path: string };

/** One thing to be made of a build's result, as the daemon is told of it. */
export interface Exporter {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly sink?: OutputSink;
}

export interface Outputs {
  readonly exporters: readonly Exporter[];
  /** Names to be pushed when the image is built. */
  readonly push: readonly string[];
}

/** What `-o`, `--push`, `--load` and `-t` come to. Throws UsageError. */
export function planOutputs(given: {
  readonly outputs: readonly string[];
  readonly tags: readonly string[];
  readonly push: boolean;
  readonly load: boolean;
  /** The result is an answer, and nothing is made of it. */
  readonly isQuestion: boolean;
  readonly isTerminal: boolean;
}): Outputs {
  if (given.isQuestion) return { exporters: [], push: [] };
  const parsed = given.outputs.filter((text) => text !== '').map(parseOutput);
  addShorthands(parsed, given);
  if (parsed.length === 0) parsed.push({ type: 'image', attributes: {}, destination: undefined });
  const push: string[] = [];
  const exporters = parsed.flatMap((output): readonly Exporter[] => {
    if (output.type === 'cacheonly') return [];
    const exporter = exporterOf(output, given);
    if (exporter.type === 'moby' && parseBoolean(output.attributes['push'] ?? '') === true) {
      const names = (exporter.attributes['name'] ?? '').split(',').filter((name) => name !== '');
      if (names.length === 0) throw new UsageError('tag is needed when pushing to registry', 'Name the image with -t.');
      push.push(...names);
    }
    return [exporter];
  });
  return { exporters, push: [...new Set(push)] };
}

interface ParsedOutput {
  type: string;
  attributes: Record<string, string>;
  destination: string | undefined;
}

/** `DIR`, `-`, or `type=…,dest=…,…`. */
function parseOutput(text: string): ParsedOutput {
  const fields = csvFields(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith('type=')) {
    return { type: text === '-' ? 'tar' : 'local', attributes: {}, destination: text };
  }
  const { type, dest, ...attributes } = Object.fromEntries(csvPairs(text));
  if (type === undefined || type === '') throw new UsageError(`type is required for output: ${text}`);
  return { type, attributes, destination: dest };
}

function addShorthands(
  outputs: ParsedOutput[],
  { push, load }: { readonly push: boolean; readonly load: boolean },
): void {
  if (push) {
    const images = outputs.filter(({ type }) => type === 'image' || type === 'registry');
    for (const { attributes } of images) attributes['push'] = 'true';
    if (images.length === 0) outputs.push({ type: 'image', attributes: { push: 'true' }, destination: undefined });
  }
  const isHere = ({ type, destination }: ParsedOutput) =>
    destination === undefined && (type === 'docker' || type === 'image' || type === 'registry');
  if (load && !outputs.some(isHere)) outputs.push({ type: 'image', attributes: {}, destination: undefined });
}

function exporterOf(
  output: ParsedOutput,
  given: { readonly tags: readonly string[]; readonly isTerminal: boolean },
): Exporter {
  const { type, destination } = output;
  const name = given.tags.length > 0 ? { name: given.tags.join(',') } : {};
  const attributes = { ...output.attributes, ...name };
  switch (type) {
    case 'image':
    case 'moby':
      if (destination !== undefined)
        throw new UsageError(`output type "${type}" takes no dest: the image stays with the daemon`);
      return { type: 'moby', attributes };
    case 'registry':
      output.attributes['push'] = 'true';
      return { type: 'moby', attributes: { ...attributes, push: 'true' } };
    case 'docker':
      if (destination === undefined) return { type: 'moby', attributes };
      return { type, attributes, sink: fileSink(output, given.isTerminal) };
    case 'oci':
      if (destination === undefined) throw destinationMissing(type);
      return { type, attributes, sink: fileSink(output, given.isTerminal) };
    case 'tar':
      if (destination === undefined) throw destinationMissing(type);
      return { type, attributes: output.attributes, sink: fileSink(output, given.isTerminal) };
    case 'local': {
      if (destination === undefined || destination === '') throw destinationMissing(type);
      if (destination === '-') throw new UsageError('dest cannot be stdout for local exporter', 'An archive can: -o -');
      const replace = output.attributes['mode'] === 'delete';
      return { type, attributes: output.attributes, sink: { kind: 'directory', path: destination, replace } };
    }
    default:
      throw new UsageError(
        `exporter "${type}" could not be found`,
        'There are image, docker, oci, local, tar, registry and cacheonly.',
      );
  }
}

/** Images may also become a layout in a directory (`tar=false`). */
function fileSink({ type, attributes, destination = '' }: ParsedOutput, isTerminal: boolean): OutputSink {
  if (type !== 'tar' && parseBoolean(attributes['tar'] ?? 'true') === false) {
    if (destination === '-') throw new UsageError(`dest cannot be stdout for ${type} exporter with tar=false`);
    return { kind: 'store', path: destination };
  }
  if (destination === '-') {
    if (isTerminal) {
      throw new UsageError(
        `dest file is required for ${type} exporter. refusing to write to console`,
        'Lead standard output into a file or a pipe.',
      );
    }
    return { kind: 'stdout' };
  }
  if (statSync(destination, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`destination directory ${destination}: it must be a file for the ${type} exporter`);
  }
  return { kind: 'file', path: destination };
}

function destinationMissing(type: string): UsageError {
  return new UsageError(`dest is required for ${type} exporter`, `Say where it goes: -o type=${type},dest=PLACE`);
}
