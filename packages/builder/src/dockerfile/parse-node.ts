import type { InstructionNode, NameValue } from './ast.ts';
import { blankWords, cutFlags, quotedWords } from './line-words.ts';
import { DockerfileError } from './location.ts';

type Parts = Pick<InstructionNode, 'args' | 'json' | 'pairs' | 'inner'>;

const EMPTY: Parts = { args: [], json: false, pairs: [], inner: undefined };

/** How the text after each keyword is cut; anything else is an unknown instruction and keeps no arguments. */
const PARSERS: Readonly<Record<string, (rest: string, token: string) => Parts>> = {
  add: jsonOrWords,
  arg: (rest, token) => ({ ...EMPTY, args: quotedWords(rest, token) }),
  cmd: jsonOrText,
  copy: jsonOrWords,
  entrypoint: jsonOrText,
  env: (rest, token) => ({ ...EMPTY, pairs: nameValues(rest, 'ENV', token) }),
  expose: (rest) => ({ ...EMPTY, args: blankWords(rest) }),
  from: (rest) => ({ ...EMPTY, args: blankWords(rest) }),
  healthcheck,
  label: (rest, token) => ({ ...EMPTY, pairs: nameValues(rest, 'LABEL', token) }),
  maintainer: text,
  onbuild,
  run: jsonOrText,
  shell: jsonOrText,
  stopsignal: text,
  user: text,
  volume: jsonOrWords,
  workdir: text,
};

/** Cuts one logical line into keyword, flags and arguments. Throws a DockerfileError where the form of its arguments is wrong. */
export function parseNode(line: string, token: string): Omit<InstructionNode, 'location' | 'comments' | 'heredocs'> {
  const trimmed = line.trim();
  const [, keyword = '', tail = ''] = /^([^\t\v\f\r ]*)[\t\v\f\r ]*([\s\S]*)$/.exec(trimmed) ?? [];
  const { flags, rest } = cutFlags(tail, token);
  const name = keyword.toLowerCase();
  const parser = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
  return { keyword, original: line, flags, ...(parser?.(rest.trim(), token) ?? EMPTY) };
}

function text(rest: string): Parts {
  return rest === '' ? EMPTY : { ...EMPTY, args: [rest] };
}

function jsonOrText(rest: string): Parts {
  const json = parseJsonWords(rest);
  return json === undefined ? text(rest) : { ...EMPTY, args: json, json: true };
}

function jsonOrWords(rest: string): Parts {
  const json = parseJsonWords(rest);
  return json === undefined ? { ...EMPTY, args: blankWords(rest) } : { ...EMPTY, args: json, json: true };
}

function healthcheck(rest: string): Parts {
  const [, type = '', command = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (type === '') return EMPTY;
  const parsed = jsonOrText(command);
  return { ...parsed, args: [type, ...parsed.args] };
}

function onbuild(rest: string, token: string): Parts {
  if (rest === '') return EMPTY;
  // One in the other is an error, which is told later; deeper ones are not even read.
  const isNested = /^onbuild(\s|$)/i.test(rest);
  const parsed = isNested ? { keyword: 'ONBUILD', original: rest, flags: [], ...EMPTY } : parseNode(rest, token);
  const inner = { ...parsed, heredocs: [], comments: [], location: { start: 0, end: 0 } };
  return { ...EMPTY, args: [inner.keyword, ...inner.args], json: inner.json, inner };
}

/** A JSON array of strings; undefined when the text is no JSON array, an error when it is one of other things. */
function parseJsonWords(rest: string): readonly string[] | undefined {
  if (!rest.trimStart().startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(rest);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || !value.every((word) => typeof word === 'string')) {
    throw new DockerfileError('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return value;
}

function nameValues(rest: string, keyword: string, token: string): readonly NameValue[] {
  const words = quotedWords(rest, token);
  const [first] = words;
  if (first === undefined) return [];
  if (!first.includes('=')) {
    const [, name = '', value] = /^([^\t\v\f\r ]*)[\t\v\f\r ]+([\s\S]*)$/.exec(rest) ?? [];
    if (value === undefined) throw new DockerfileError(`${keyword} must have two arguments`);
    return [{ name, value, legacy: true }];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0) {
      throw new DockerfileError(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    }
    return { name: word.slice(0, at), value: word.slice(at + 1), legacy: false };
  });
}
