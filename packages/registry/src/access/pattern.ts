const compiled = new Map<string, RegExp>();
const MAX_COMPILED = 5_000;
const MAX_STARS = 6;

/** True for a text that may be a pattern. */
export function isPattern(text: string): boolean {
  return text !== '' && text.length <= 255 && /^[\w.\-/*]+$/.test(text) && text.split(/\*+/).length - 1 <= MAX_STARS;
}

/** True when a name fits a pattern: `*` stands for anything within a part of the name, `**` for any parts. */
export function matches(pattern: string, name: string): boolean {
  if (pattern === '**' || pattern === name) return true;
  let found = compiled.get(pattern);
  if (found === undefined) {
    const source = pattern
      .split(/(\*+)/)
      .map((part) => (part === '*' ? '[^/]*' : part.startsWith('*') ? '.*' : part.replace(/[.\-/]/g, '\\$&')))
      .join('');
    found = new RegExp(`^${source}$`);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(pattern, found);
  }
  return found.test(name);
}
