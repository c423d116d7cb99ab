import { isLess, isOneOf } from './compare.ts';
import { elementAt, lengthOf, sliceOfValue } from './elements.ts';
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts';
import type { GoFunctions } from './functions.ts';
import { format, sprint } from './print.ts';
import { sprintf } from './printf.ts';
import { isTrue } from './truth.ts';
import { anyType, boolType, stringType } from './types.ts';
import { GoValue, indirect, indirectInterface, type MaybeValue, stringData } from './value.ts';

function truth(value: boolean): GoValue {
  return new GoValue(boolType, value);
}

function text(value: string): GoValue {
  return new GoValue(stringType, value);
}

/** The text of the operands of an escaping function. */
function printed(values: readonly MaybeValue[]): string {
  return sprint(
    values.map((value) => {
      const pointed = value?.type.kind === 'pointer' ? indirect(value).value : indirectInterface(value);
      return pointed ?? text('<no value>');
    }),
  );
}

const comparison = ['value', 'value'] as const;

/** The functions of Go's text/template. `and` and `or` are here by name only: they look at no more than they must. */
export const builtins: GoFunctions = {
  and: { parameters: ['value'], more: 'value', call: (value) => value },
  or: { parameters: ['value'], more: 'value', call: (value) => value },
  not: { parameters: ['value'], call: (value) => truth(!isTrue(indirectInterface(value))) },
  call: {
    parameters: ['value'],
    more: 'value',
    call: (value) => {
      if (indirectInterface(value) === undefined) throw new Error('call of nil');
      throw new Error(`non-function ${format(value)} of type ${value?.type.name ?? ''}`);
    },
  },
  html: { parameters: [], more: anyType, call: (...values) => text(escapeHtml(printed(values))) },
  js: { parameters: [], more: anyType, call: (...values) => text(escapeJs(printed(values))) },
  urlquery: { parameters: [], more: anyType, call: (...values) => text(escapeQuery(printed(values))) },
  index: { parameters: ['value'], more: 'value', call: (item, ...indexes) => elementAt(item, indexes) },
  slice: { parameters: ['value'], more: 'value', call: (item, ...indexes) => sliceOfValue(item, indexes) },
  len: { parameters: ['value'], call: (item) => lengthOf(item) },
  print: { parameters: [], more: anyType, call: (...values) => text(sprint(values)) },
  println: {
    parameters: [],
    more: anyType,
    call: (...values) => text(`${values.map((each) => format(each)).join(' ')}\n`),
  },
  printf: {
    parameters: [stringType],
    more: anyType,
    call: (pattern, ...values) => text(sprintf(pattern === undefined ? '' : stringData(pattern), values)),
  },
  eq: { parameters: ['value'], more: 'value', call: (first, ...others) => truth(isOneOf(first, others)) },
  ne: { parameters: comparison, call: (one, other) => truth(!isOneOf(one, [other])) },
  lt: { parameters: comparison, call: (one, other) => truth(isLess(one, other)) },
  le: { parameters: comparison, call: (one, other) => truth(isLess(one, other) || isOneOf(one, [other])) },
  gt: { parameters: comparison, call: (one, other) => truth(!(isLess(one, other) || isOneOf(one, [other]))) },
  ge: { parameters: comparison, call: (one, other) => truth(!isLess(one, other)) },
};
