/** What Go takes for a character that can be printed: letters, marks, numbers, punctuation, symbols, and the plain blank. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const NAMED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** Go's strconv.Quote; `ascii` as QuoteToASCII. */
export function quote(text: string, { ascii = false, mark = '"' }: { ascii?: boolean; mark?: string } = {}): string {
  let quoted = mark;
  for (const character of text) {
    const named = NAMED[character];
    const code = character.codePointAt(0) ?? 0;
    if (character === mark) quoted += `\\${mark}`;
    else if (named !== undefined) quoted += named;
    else if (PRINTABLE.test(character) && !(ascii && code > 0x7e)) quoted += character;
    else if (code < 0x80) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x1_0000) quoted += `\\u${code.toString(16).padStart(4, '0')}`;
    else quoted += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return quoted + mark;
}
