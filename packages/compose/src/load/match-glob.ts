/** Whether a name matches a shell pattern (`*`, `?`, `[a-z]`, `\`), as Go's `filepath.Match` has it. */
export function matchesGlob(pattern: string, name: string): boolean {
  if (!/[*?[\\]/.test(pattern)) return pattern === name;
  let source = '';
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i] ?? '';
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '\\') {
      i += 1;
      source += literal(pattern[i] ?? '\\');
    } else if (char === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end === -1) return false;
      source += `[${pattern.slice(i + 1, end).replace(/[\\\]]/g, '\\$&')}]`;
      i = end;
    } else source += literal(char);
  }
  try {
    return new RegExp(`^${source}$`, 'u').test(name);
  } catch {
    // Go, too, takes a broken pattern for one that matches nothing.
    return false;
  }
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
