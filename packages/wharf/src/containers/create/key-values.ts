import { readFileSync } from 'node:fs';
import { goFileError } from '../values/file-errors.ts';
import { cut } from '../values/pairs.ts';
import { refuse } from '../values/refuse.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Lines that Go's scanner takes. */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * The variables or labels of files (`KEY=VALUE` lines, `#` comments). A key without `=` takes its value from `env`, and is left out
 * where that has none or is absent. Throws in docker's words.
 */
export function readKeyValueFiles(paths: readonly string[], env?: Environment): readonly string[] {
  return paths.flatMap((path) => {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      const message = goFileError(error, path);
      throw refuse(message.startsWith('read ') ? `invalid env file (${path}): ${message}` : message);
    }
    try {
      return parseKeyValues(bytes, env);
    } catch (error) {
      throw refuse(`invalid env file (${path}): ${(error as Error).message}`);
    }
  });
}

/** The pairs of one such file. */
export function parseKeyValues(bytes: Buffer, env?: Environment): readonly string[] {
  const pairs: string[] = [];
  let number = 0;
  for (let at = 0; at < bytes.length; number += 1) {
    const end = bytes.indexOf('\n', at);
    const line = bytes.subarray(at, end < 0 ? bytes.length : end);
    at += line.length + 1;
    if (line.length >= MAX_LINE_BYTES) throw refuse('bufio.Scanner: token too long');
    const pair = parseLine(line.at(-1) === 0x0d ? line.subarray(0, -1) : line, number + 1, env);
    if (pair !== undefined) pairs.push(pair);
  }
  return pairs;
}

function parseLine(bytes: Buffer, number: number, env: Environment | undefined): string | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: number !== 1 }).decode(bytes);
  } catch {
    throw refuse(`invalid utf8 bytes at line ${number}: [${[...bytes].join(' ')}]`);
  }
  const line = text.replace(/^[\s\u0085]+/, '');
  if (line === '' || line.startsWith('#')) return undefined;
  const { before: key, found } = cut(line, '=');
  if (key === '') throw refuse(`no variable name on line '${line}'`);
  if (/[ \t]/.test(key)) throw refuse(`variable '${key}' contains whitespaces`);
  if (found) return line;
  const value = env?.[key];
  return value === undefined ? undefined : `${key}=${value}`;
}
