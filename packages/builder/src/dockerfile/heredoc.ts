import { expand } from './shell-words.ts';

export interface Heredoc {
  /** The word that ends it, and the file's name in COPY and ADD. */
  readonly name: string;
  readonly fileDescriptor: number;
  /** False when the word was quoted: the body is taken as it stands. */
  readonly expand: boolean;
  /** `<<-`: leading tabs do not count. */
  readonly chomp: boolean;
  readonly content: string;
}

const FORM = /^(\d*)<<(-?)\s*([^<]*)$/;

/** Reads a heredoc's word, `<<EOF`, `2<<-"EOF"`; undefined when the word is none (Dockerfile reference, "Here-Documents"). */
export function parseHeredocWord(word: string): Omit<Heredoc, 'content'> | undefined {
  const match = FORM.exec(word);
  const rest = match?.[3] ?? '';
  if (match === null || rest === '') return undefined;
  const { words } = expand(rest, new Map(), { keepUnset: true });
  const [name] = words;
  if (words.length !== 1 || name === undefined) return undefined;
  const [raw = ''] = expand(rest, new Map(), { keepUnset: true, rawQuotes: true }).words;
  return {
    name,
    fileDescriptor: Number(match[1] ?? 0),
    expand: countQuotes(name) === countQuotes(raw),
    chomp: match[2] === '-',
  };
}

/** The heredocs that a line of a RUN, COPY or ADD announces, in order. */
export function heredocsOf(line: string): readonly Omit<Heredoc, 'content'>[] {
  const { words } = expand(line, new Map(), { keepUnset: true, rawQuotes: true, rawEscapes: true });
  return words.flatMap((word) => parseHeredocWord(word) ?? []);
}

/** A body without the tabs its lines begin with. */
export function withoutLeadingTabs(content: string): string {
  return content.replace(/^\t+/gm, '');
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, '').length;
}
