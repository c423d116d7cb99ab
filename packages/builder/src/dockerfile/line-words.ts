const SPACE = /\s/u;

/**
 * Cuts the flags off the front of an instruction's text: words that begin with `--`, up to `--` or the first other word. Quotes
 * and escape characters are removed from them.
 */
export function cutFlags(text: string, token: string): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && SPACE.test(text[at] ?? '')) at += 1;
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at) };
    const word = readFlag(text, at, token);
    at = word.end;
    if (word.text === '--') return { flags, rest: text.slice(at) };
    flags.push(word.text);
  }
}

function readFlag(text: string, start: number, token: string): { readonly text: string; readonly end: number } {
  let word = '';
  let quote: string | undefined;
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote === undefined && SPACE.test(character)) break;
    if (quote === character) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) quote = character;
    else if (character === token) {
      at += 1;
      word += text[at] ?? '';
    } else word += character;
  }
  return { text: word, end: at };
}

/** Cuts a text at blanks outside of quotes; quotes and escape characters stay for the expansion that follows. */
export function quotedWords(text: string, token: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote === undefined && SPACE.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (character === token && quote !== "'") {
      const next = text[at + 1];
      // An escape character at the very end means nothing.
      if (next !== undefined) word += character + next;
      at += 1;
      continue;
    }
    if (quote === character) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) quote = character;
    word += character;
  }
  if (word !== undefined && word !== '') words.push(word);
  return words;
}

/** Cuts a text at blanks, whatever it holds. */
export function blankWords(text: string): readonly string[] {
  return text === '' ? [] : text.split(/[\t\v\f\r ]+/);
}
