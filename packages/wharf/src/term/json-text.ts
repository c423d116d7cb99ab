/**
 * A JSON text with each value on a line of its own, as Go's json.Indent writes it: strings and numbers stay byte for byte, empty lists
 * and objects on their line. The text must be JSON.
 */
export function indentJson(text: string, indent = '    '): string {
  let depth = 0;
  let isEmpty = false;
  let result = '';
  const newLine = (): string => `\n${indent.repeat(depth)}`;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '}' || token === ']') {
      depth -= 1;
      if (!isEmpty) result += newLine();
      isEmpty = false;
      result += token;
      continue;
    }
    if (isEmpty) result += newLine();
    isEmpty = false;
    result += token;
    if (token === '{' || token === '[') {
      depth += 1;
      isEmpty = true;
    } else if (token === ',') result += newLine();
    else if (token === ':') result += ' ';
  }
  return result;
}

/** A JSON text without blanks between its values, as Go's json.Compact. */
export function compactJson(text: string): string {
  return [...text.matchAll(TOKENS)].map(([token]) => token).join('');
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
