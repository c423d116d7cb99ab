import { byCodePoint, Float, shortestFloat, Timestamp } from '../load/values.ts';
import type { Tree, TreeMap } from './tree.ts';

/** A tree as Go's `encoding/json` prints it; with `indent` over several lines, as `MarshalIndent` does. */
export function writeJson(tree: Tree, indent = ''): string {
  const parts: string[] = [];
  write(tree, parts, indent, '\n');
  return parts.join('');
}

function write(tree: Tree, parts: string[], indent: string, margin: string): void {
  if (tree === null) parts.push('null');
  else if (typeof tree === 'string') parts.push(jsonString(tree));
  else if (typeof tree !== 'object') parts.push(String(tree));
  else if (tree instanceof Float) parts.push(String(shortestFloat(tree.value, tree.bits)));
  else if (tree instanceof Timestamp) parts.push(jsonString(tree.text));
  else if ('order' in tree) writeMap(tree, parts, indent, margin);
  else writeList(tree, parts, indent, margin);
}

function writeMap(tree: TreeMap, parts: string[], indent: string, margin: string): void {
  if (tree.entries.length === 0) {
    parts.push('{}');
    return;
  }
  const entries = tree.order === 'fields' ? tree.entries : [...tree.entries].sort((a, b) => byCodePoint(a[0], b[0]));
  const inner = margin + indent;
  let first = true;
  for (const [key, value] of entries) {
    parts.push(first ? '{' : ',', indent === '' ? '' : inner, jsonString(key), indent === '' ? ':' : ': ');
    first = false;
    write(value, parts, indent, inner);
  }
  parts.push(indent === '' ? '}' : `${margin}}`);
}

function writeList(items: readonly Tree[], parts: string[], indent: string, margin: string): void {
  if (items.length === 0) {
    parts.push('[]');
    return;
  }
  const inner = margin + indent;
  let first = true;
  for (const item of items) {
    parts.push(first ? '[' : ',', indent === '' ? '' : inner);
    first = false;
    write(item, parts, indent, inner);
  }
  parts.push(indent === '' ? ']' : `${margin}]`);
}

/** Go escapes what could end a script in HTML, too. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
