/**
 * Splits a command written as one text into its words: spaces separate, quotes and backslashes keep together; it ends at
 * `;`, `&`, `|`, `<` or `>` outside quotes. Throws an `Error` (`invalid command line string`) where a quote stays open.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let begun = false;
  let escaped = false;
  let single = false;
  let double = false;
  let back = false;
  let dollar = false;
  for (const char of line) {
    if (escaped) {
      word += char;
      escaped = false;
      begun = true;
      continue;
    }
    if (char === '\\') {
      if (single) word += char;
      else escaped = true;
      continue;
    }
    const quoted = single || double || back || dollar;
    if (/[ \t\r\n]/.test(char)) {
      if (quoted) word += char;
      else if (begun) {
        words.push(word);
        word = '';
        begun = false;
      }
      continue;
    }
    if (char === '`' && !single && !double && !dollar) back = !back;
    else if (char === ')' && !single && !double && !back) dollar = !dollar;
    else if (char === '(' && !single && !double && !back) {
      if (dollar || !word.endsWith('$')) throw new Error('invalid command line string');
      dollar = true;
      word += char;
      continue;
    } else if (char === '"' && !single && !dollar) {
      if (double) begun = true;
      double = !double;
      continue;
    } else if (char === "'" && !double && !dollar) {
      if (single) begun = true;
      single = !single;
      continue;
    } else if (';&|<>'.includes(char) && !quoted) {
      // `2>`: the number belongs to what is cut off.
      if (char === '>' && /^[0-9]/.test(word)) begun = false;
      break;
    }
    begun = true;
    word += char;
  }
  if (escaped || single || double || back || dollar) {
    throw new Error('invalid command line string');
  }
  if (begun) words.push(word);
  return words;
}
