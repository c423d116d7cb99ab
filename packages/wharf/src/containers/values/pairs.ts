/** What stands before and after the first `separator`; `found` is false, and all is before, where there is none. */
export function cut(
  text: string,
  separator: string,
): { readonly before: string; readonly after: string; readonly found: boolean } {
  const at = text.indexOf(separator);
  if (at < 0) return { before: text, after: '', found: false };
  return { before: text.slice(0, at), after: text.slice(at + separator.length), found: true };
}

/** `key=value` lines as a map; the last of a key stands, and one without `=` is empty. */
export function toMap(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [cut(pair, '=').before, cut(pair, '=').after]));
}

/** A list as Go's clients send it: `null` when nothing was put in. */
export function orNull<Item>(list: readonly Item[]): readonly Item[] | null {
  return list.length === 0 ? null : list;
}
