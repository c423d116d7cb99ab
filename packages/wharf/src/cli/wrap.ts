/** Room that a last line may take beyond the width, so that no word stands alone on a line of its own. */
const SLOP = 5;
const LEAST_WIDTH = 24;
const BLOCK_INDENT = 16;

/** Text for the column at `indent` of a screen `width` wide, broken as Go's pflag breaks it. The caller indents the first line. */
export function wrapColumn(text: string, indent: number, width: number): string {
  let from = indent;
  let result = '';
  if (width - from < LEAST_WIDTH) {
    from = BLOCK_INDENT;
    result = `\n${' '.repeat(from)}`;
  }
  if (width - from < LEAST_WIDTH) return text.replaceAll('\n', result);
  const inset = `\n${' '.repeat(from)}`;
  const lines: string[] = [];
  for (let rest = text; rest !== '' || lines.length === 0; ) {
    const [line, after] = breakOnce(rest, width - from - SLOP);
    lines.push(line.replaceAll('\n', inset));
    rest = after;
    if (rest === '') break;
  }
  return result + lines.join(inset);
}

function breakOnce(text: string, width: number): readonly [string, string] {
  if (width + SLOP > text.length) return [text, ''];
  const start = text.slice(0, width);
  const space = Math.max(start.lastIndexOf(' '), start.lastIndexOf('\t'), start.lastIndexOf('\n'));
  if (space <= 0) return [text, ''];
  const newline = start.lastIndexOf('\n');
  const at = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, at), text.slice(at + 1)];
}
