import { WharfError } from '@wharf/kit';

/** Instructions of a Dockerfile text: continuation lines joined, comments and empty lines left out. */
export function instructionLines(text: string): { readonly word: string; readonly rest: string }[] {
  const lines: { word: string; rest: string }[] = [];
  let pending = '';
  for (const raw of text.split(/\r?\n/)) {
    if (/^\s*#/.test(raw) || (pending === '' && raw.trim() === '')) continue;
    const continued = /\\[ \t]*$/.exec(raw);
    pending += continued ? raw.slice(0, continued.index) : raw;
    if (continued) continue;
    lines.push(splitInstruction(pending));
    pending = '';
  }
  if (pending.trim() !== '') lines.push(splitInstruction(pending));
  return lines;
}

function splitInstruction(line: string): { readonly word: string; readonly rest: string } {
  const match = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(line);
  return { word: match?.[1] ?? '', rest: match?.[2] ?? '' };
}

/** The JSON list of strings that an exec form is, or `undefined` for the shell form. */
export function execForm(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  } catch {
    // Docker, too, takes what is no valid JSON for a shell command.
  }
  return undefined;
}

/** Splits at blanks outside of quotes and escapes; quotes stay, for `expandWord` to take off. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  let inWord = false;
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at] ?? '';
    if (quote === '' && /\s/.test(c)) {
      if (inWord) words.push(word);
      word = '';
      inWord = false;
      continue;
    }
    inWord = true;
    word += c;
    if (c === '\\' && quote !== "'" && at + 1 < text.length) {
      at += 1;
      word += text[at] ?? '';
    } else if (quote === c) {
      quote = '';
    } else if (quote === '' && (c === '"' || c === "'")) {
      quote = c;
    }
  }
  if (inWord) words.push(word);
  return words;
}

/** Replaces variables and takes quotes and escapes off one word, as a Dockerfile does. Throws `invalid-argument`. */
export function expandWord(word: string, environment: ReadonlyMap<string, string>): string {
  let result = '';
  let quote = '';
  for (let at = 0; at < word.length; at += 1) {
    const c = word[at] ?? '';
    if (c === quote) {
      quote = '';
    } else if (quote === '' && (c === '"' || c === "'")) {
      quote = c;
    } else if (c === '\\' && quote !== "'") {
      at += 1;
      const next = word[at] ?? '\\';
      result += quote === '"' && !/["$\\]/.test(next) ? `\\${next}` : next;
    } else if (c === '$' && quote !== "'") {
      const variable = readVariable(word.slice(at), environment);
      result += variable.value;
      at += variable.length - 1;
    } else {
      result += c;
    }
  }
  if (quote !== '')
    throw new WharfError(
      'invalid-argument',
      `unexpected end of statement while looking for matching ${quote === '"' ? 'double' : 'single'}-quote`,
    );
  return result;
}

function readVariable(
  text: string,
  environment: ReadonlyMap<string, string>,
): { readonly value: string; readonly length: number } {
  const plain = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(text);
  if (plain) return { value: environment.get(plain[1] ?? '') ?? '', length: plain[0].length };
  const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+)(?:(:?[-+?])((?:[^{}\\]|\\.|\$\{[^{}]*\})*))?\}/.exec(text);
  if (braced === null) {
    if (text.startsWith('${')) throw new WharfError('invalid-argument', `syntax error: missing '}' in "${text}"`);
    return { value: '$', length: 1 };
  }
  const [whole, name = '', operator, word = ''] = braced;
  const value = environment.get(name);
  const isSet = operator?.startsWith(':') === true ? value !== undefined && value !== '' : value !== undefined;
  const alternative = () => expandWord(word, environment);
  switch (operator?.at(-1)) {
    case '-':
      return { value: isSet ? (value ?? '') : alternative(), length: whole.length };
    case '+':
      return { value: isSet ? alternative() : '', length: whole.length };
    case '?':
      if (!isSet) throw new WharfError('invalid-argument', `${name}: ${alternative() || 'not allowed to be unset'}`);
      return { value: value ?? '', length: whole.length };
    default:
      return { value: value ?? '', length: whole.length };
  }
}
