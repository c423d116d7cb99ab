import { WharfError } from '@wharf/kit/errors';
import type { FileCache } from './context.ts';
import { Problem } from './problem.ts';
import { positionOf, type YamlFile, type YamlNode } from './yaml-nodes.ts';

/** Where something stands. Line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Turns a `Problem` into the error the user sees: compose's message, and in the hint where it is (`compose.yaml:4:5`) and
 * what to do about it; `details` has the position for programs. Other errors pass.
 */
export function locateProblem(error: unknown, files: FileCache, cwd: string): unknown {
  if (!(error instanceof Problem)) return error;
  const position = error.at ?? positionOfKeys(error.keys, files.all(), error.file);
  const where =
    position === undefined ? undefined : `${shortName(position.file, cwd)}:${position.line}:${position.column}`;
  const hint = [where, error.suggestion].filter((part) => part !== undefined).join(': ');
  return new WharfError('invalid-argument', error.message, {
    ...(hint === '' ? {} : { hint }),
    details: { ...position, path: error.keys.join('.') },
    cause: error,
  });
}

/** The place of keys: in the file they were met in, if they are all there; else in the one that goes deepest, the last read of several. */
function positionOfKeys(
  keys: readonly string[],
  files: readonly YamlFile[],
  preferred: string | undefined,
): Position | undefined {
  const own = deepest(
    keys,
    files.filter(({ name }) => name === preferred),
  );
  const found = own?.depth === keys.length ? own : deepest(keys, files);
  return found === undefined ? undefined : positionOf(found.file, found.offset);
}

function deepest(
  keys: readonly string[],
  files: readonly YamlFile[],
): { depth: number; file: YamlFile; offset: number } | undefined {
  let best: { depth: number; file: YamlFile; offset: number } | undefined;
  for (const file of files)
    for (const document of file.documents) {
      const found = follow(document, keys);
      if (found.depth > 0 && found.depth >= (best?.depth ?? 0)) best = { ...found, file };
    }
  return best;
}

function follow(document: YamlNode, keys: readonly string[]): { depth: number; offset: number } {
  let node = document;
  let offset = document.offset;
  let depth = 0;
  for (const key of keys) {
    const next = childOf(node, key);
    if (next === undefined) break;
    ({ node, offset } = next);
    depth += 1;
  }
  return { depth, offset };
}

function childOf(node: YamlNode, key: string): { node: YamlNode; offset: number } | undefined {
  if (node.kind === 'alias') return childOf(node.target, key);
  if (node.kind === 'sequence') {
    const item =
      node.items[Number(key.replace(/^\[(.*)\]$/, '$1'))] ?? node.items.find((each) => startsWithKey(each, key));
    return item === undefined ? undefined : { node: item, offset: item.offset };
  }
  if (node.kind !== 'mapping') return undefined;
  const entry = node.entries.find((each) => each.key.kind === 'scalar' && each.key.text === key);
  if (entry !== undefined) return { node: entry.value, offset: entry.key.offset };
  const merged = node.entries.find((each) => each.key.kind === 'scalar' && each.key.text === '<<');
  return merged === undefined ? undefined : childOf(merged.value, key);
}

/** `- KEY=value` and `- name` where the canonical form is a mapping. */
function startsWithKey(node: YamlNode, key: string): boolean {
  return node.kind === 'scalar' && (node.text === key || node.text.startsWith(`${key}=`));
}

function shortName(file: string, cwd: string): string {
  return file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file;
}
