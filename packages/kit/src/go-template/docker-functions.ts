import { builtins } from './builtins.ts';
import type { GoFunction, GoFunctions } from './functions.ts';
import { marshalJson } from './json.ts';
import { anyType, intType, stringSlice, stringType } from './types.ts';
import { GoValue, integerData, listData, type MaybeValue, stringData } from './value.ts';

const MAX_PADDING = 10_000n;

function textOf(value: MaybeValue): string {
  return value === undefined ? '' : stringData(value);
}

function ofText(change: (text: string) => string): GoFunction {
  return { parameters: [stringType], call: (value) => new GoValue(stringType, change(textOf(value))) };
}

/** As Go's strings.Split: an empty separator parts the characters. */
function split(text: string, separator: string): readonly string[] {
  return separator === '' ? Array.from(text) : text.split(separator);
}

function padding(value: MaybeValue): string {
  const count = value === undefined ? 0n : integerData(value);
  if (count < 0n) throw new Error('strings: negative Repeat count');
  return ' '.repeat(Number(count > MAX_PADDING ? MAX_PADDING : count));
}

/** As Go's text[:length], which cuts bytes. */
function truncate(text: string, length: bigint): string {
  const bytes = new TextEncoder().encode(text);
  if (BigInt(bytes.length) < length) return text;
  if (length < 0n) throw new Error(`runtime error: slice bounds out of range [:${length}]`);
  return new TextDecoder().decode(bytes.subarray(0, Number(length)));
}

/** The functions of docker's templates, besides those of Go. */
export const dockerFunctions: GoFunctions = {
  ...builtins,
  json: { parameters: [anyType], call: (value) => new GoValue(stringType, marshalJson(value)) },
  split: {
    parameters: [stringType, stringType],
    call: (text, separator) => new GoValue(stringSlice, split(textOf(text), textOf(separator))),
  },
  join: {
    parameters: [stringSlice, stringType],
    call: (items, separator) =>
      new GoValue(stringType, items === undefined ? '' : listData(items).join(textOf(separator))),
  },
  title: ofText((text) => text.replaceAll(/(?<=^|[\0-/:-@[-^`{-\x7f]|\s)\p{L}/gu, (letter) => letter.toUpperCase())),
  lower: ofText((text) => text.toLowerCase()),
  upper: ofText((text) => text.toUpperCase()),
  pad: {
    parameters: [stringType, intType, intType],
    call: (text, before, after) => {
      const source = textOf(text);
      return new GoValue(stringType, source === '' ? '' : padding(before) + source + padding(after));
    },
  },
  truncate: {
    parameters: [stringType, intType],
    call: (text, length) =>
      new GoValue(stringType, truncate(textOf(text), length === undefined ? 0n : integerData(length))),
  },
};

const asItIs: GoFunction['call'] = (text) => text;

/** What stands in place of docker's functions when a table's header is made: they leave the column's name alone. */
export const headerFunctions: GoFunctions = {
  json: { parameters: [stringType], call: asItIs },
  split: { parameters: [stringType, stringType], call: asItIs },
  join: { parameters: [stringType, stringType], call: asItIs },
  title: { parameters: [stringType], call: asItIs },
  lower: { parameters: [stringType], call: asItIs },
  upper: { parameters: [stringType], call: asItIs },
  truncate: { parameters: [stringType, intType], call: asItIs },
};
