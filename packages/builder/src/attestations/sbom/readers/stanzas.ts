import { linesOf } from '../package.ts';

/** Paragraphs of `Key: value` lines, blank lines between them (deb822(5); Python's METADATA); of what is folded the first line counts. */
export function* stanzas(text: string): Generator<ReadonlyMap<string, string>> {
  let fields = new Map<string, string>();
  for (const line of linesOf(text)) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      continue;
    }
    const at = line.indexOf(':');
    if (at <= 0 || line.startsWith(' ') || line.startsWith('\t')) continue;
    const key = line.slice(0, at).toLowerCase();
    if (!fields.has(key)) fields.set(key, line.slice(at + 1).trim());
  }
  if (fields.size > 0) yield fields;
}
