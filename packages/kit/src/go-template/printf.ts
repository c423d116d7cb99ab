import { formatExponent, formatFixed, formatGeneral } from '../go-float.ts';
import { format, formatFloat, stringOf } from './print.ts';
import { quote } from './quote.ts';
import { goSyntax } from './syntax.ts';
import {
  elemType,
  floatData,
  GoValue,
  indirectInterface,
  integerData,
  isAbsent,
  listData,
  type MaybeValue,
  mapEntries,
  stringData,
} from './value.ts';

interface Directive {
  readonly flags: string;
  /** `%+v` and `%#v`: there the signs say how structures look, and nothing of numbers. */
  readonly style?: 'named' | 'syntax';
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** Widths beyond are taken for a mistake, as Go does. */
const MAX_WIDTH = 1_000_000;

const DIRECTIVE =
  /%(?<flags>[-+# 0]*)(?<width>(?:\[\d+\])?\*|\d+)?(?:\.(?<places>(?:\[\d+\])?\*|\d*))?(?<index>\[\d+\])?(?<verb>.)?/gsu;

/** Go's Sprintf. */
export function sprintf(pattern: string, given: readonly MaybeValue[]): string {
  const operands = new Operands(given.map(indirectInterface));
  const text = pattern.replace(DIRECTIVE, (...match: readonly unknown[]) =>
    directive(operands, match.at(-1) as Readonly<Record<string, string | undefined>>),
  );
  return text + operands.extra();
}

/** The operands of a format, taken one after the other, or by number (`%[2]d`). */
class Operands {
  readonly #values: readonly MaybeValue[];
  #next = 0;
  #reordered = false;

  constructor(values: readonly MaybeValue[]) {
    this.#values = values;
  }

  /** The next one, or the one of that number; `missing` where there is none. */
  take(index: string | undefined): { readonly value: MaybeValue; readonly problem?: 'MISSING' | 'BADINDEX' } {
    if (index !== undefined) {
      this.#reordered = true;
      const number = Number(index.slice(1, -1));
      if (number < 1 || number > this.#values.length) return { value: undefined, problem: 'BADINDEX' };
      this.#next = number - 1;
    }
    if (this.#next >= this.#values.length) return { value: undefined, problem: 'MISSING' };
    const value = this.#values[this.#next];
    this.#next += 1;
    return { value };
  }

  extra(): string {
    if (this.#reordered || this.#next >= this.#values.length) return '';
    const rest = this.#values.slice(this.#next);
    const shown = rest.map((value) => (value === undefined ? '<nil>' : `${value.type.name}=${format(value)}`));
    return `%!(EXTRA ${shown.join(', ')})`;
  }
}

function directive(operands: Operands, said: Readonly<Record<string, string | undefined>>): string {
  let problems = '';
  const star = (text: string | undefined, what: string): number | undefined => {
    if (text?.endsWith('*') !== true) return text === undefined ? undefined : Math.min(Number(text), MAX_WIDTH);
    const { value } = operands.take(text === '*' ? undefined : text.slice(0, -1));
    const count = value?.type.kind === 'int' ? Number(integerData(value)) : Number.NaN;
    if (Math.abs(count) <= MAX_WIDTH && (what === 'WIDTH' || count >= 0)) return count;
    problems += `%!(BAD${what})`;
    return undefined;
  };
  const width = star(said['width'], 'WIDTH');
  const precision = star(said['places'], 'PREC');
  const { verb } = said;
  if (verb === undefined) return `${problems}%!(NOVERB)`;
  if (verb === '%') return `${problems}%`;
  const { value, problem } = operands.take(said['index']);
  if (problem !== undefined) return `${problems}%!${verb}(${problem})`;
  const flags = `${said['flags'] ?? ''}${width !== undefined && width < 0 ? '-' : ''}`;
  const how: Directive = { flags, width: width === undefined ? undefined : Math.abs(width), precision, verb };
  return problems + formatVerb(value, verb === 'v' ? styled(how) : how);
}

function styled(how: Directive): Directive {
  const flags = how.flags.replaceAll(/[+#]/g, '');
  if (how.flags.includes('#')) return { ...how, flags, style: 'syntax' };
  return how.flags.includes('+') ? { ...how, flags, style: 'named' } : { ...how, flags };
}

function formatVerb(value: MaybeValue, how: Directive): string {
  if (how.verb === 'T') {
    return stringVerb(value === undefined ? '<nil>' : value.type.name, { ...how, verb: 's' }) ?? '';
  }
  if (value === undefined) return how.verb === 'v' ? padded('<nil>', how) : `%!${how.verb}(<nil>)`;
  if (how.verb === 'v') {
    if (how.style === 'syntax') return padded(goSyntax(value), how);
    if (isScalar(value)) return scalar(value, how) ?? bad(value, how);
    return composite(value, how);
  }
  if (how.verb === 'p') return bad(value, how);
  return verbAt(value, how);
}

/** A verb goes through to the elements of what has some. */
function verbAt(value: MaybeValue, how: Directive): string {
  // An element that is nil prints as one, whatever the verb.
  if (value === undefined) return '<nil>';
  const text = 'sqxX'.includes(how.verb) ? stringOf(value) : undefined;
  if (text !== undefined) return stringVerb(text, how) ?? '';
  if (isScalar(value)) return scalar(value, how) ?? bad(value, how);
  return composite(value, how);
}

function composite(value: GoValue, how: Directive): string {
  const text = how.verb === 'v' ? stringOf(value) : undefined;
  if (text !== undefined) return padded(text, how);
  const { type, data } = value;
  const each = (item: MaybeValue) => (how.verb === 'v' ? formatVerb(item ?? undefined, how) : verbAt(item, how));
  switch (type.kind) {
    case 'slice':
    case 'array':
      return `[${listData(value)
        .map((item) => each(indirectInterface(new GoValue(elemType(value), item))))
        .join(' ')}]`;
    case 'map':
      return `map[${mapEntries(value)
        .map(([key, item]) => {
          const name = new GoValue(type.key, type.key.kind === 'string' ? key : Number(key));
          return `${each(name)}:${each(indirectInterface(new GoValue(type.elem, item)))}`;
        })
        .join(' ')}]`;
    case 'pointer':
      if (isAbsent(data)) return how.verb === 'v' ? padded('<nil>', how) : `%!${how.verb}(${type.name}=<nil>)`;
      return how.verb === 'v'
        ? padded(format(value, how.style === 'named'), how)
        : `&${verbAt(new GoValue(type.elem, data), how)}`;
    default:
      return padded(format(value, how.style === 'named'), how);
  }
}

function isScalar(value: GoValue): boolean {
  return ['string', 'bool', 'int', 'uint', 'float'].includes(value.type.kind);
}

/** What Go says of a verb that does not fit; the width holds for the value in it. */
function bad(value: GoValue, how: Directive): string {
  return `%!${how.verb}(${value.type.name}=${formatVerb(value, { ...how, verb: 'v' })})`;
}

function scalar(value: GoValue, how: Directive): string | undefined {
  const own = how.verb === 'v' ? stringOf(value) : undefined;
  if (own !== undefined) return padded(own, how);
  switch (value.type.kind) {
    case 'string':
      return stringVerb(stringData(value), how);
    case 'bool':
      return how.verb === 'v' || how.verb === 't' ? padded(String(value.data === true), how) : undefined;
    case 'float':
      return floatVerb(floatData(value), how);
    default:
      return integerVerb(integerData(value), how);
  }
}

function stringVerb(text: string, how: Directive): string | undefined {
  const cut = how.precision === undefined ? text : Array.from(text).slice(0, how.precision).join('');
  switch (how.verb) {
    case 'v':
    case 's':
      return padded(cut, how);
    case 'q':
      if (how.flags.includes('#') && !cut.includes('`')) return padded(`\`${cut}\``, how);
      return padded(quote(cut, { ascii: how.flags.includes('+') }), how);
    case 'x':
    case 'X': {
      const bytes = [...new TextEncoder().encode(text)].slice(0, how.precision);
      const prefix = how.flags.includes('#') ? '0x' : '';
      const spaced = how.flags.includes(' ');
      const pairs = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
      const joined = spaced ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('');
      const hex = pairs.length === 0 ? '' : joined;
      return padded(how.verb === 'X' ? hex.toUpperCase() : hex, how);
    }
    default:
      return undefined;
  }
}

const BASES: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const PREFIXES: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' };

function integerVerb(value: bigint, how: Directive): string | undefined {
  const { verb, flags, precision } = how;
  if (verb === 'c') return padded(character(value), how);
  if (verb === 'q') return padded(quote(character(value), { mark: "'", ascii: flags.includes('+') }), how);
  if (verb === 'U') return padded(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, how);
  const base = BASES[verb];
  if (base === undefined) return undefined;
  let digits = (value < 0n ? -value : value).toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  if (precision !== undefined) digits = value === 0n && precision === 0 ? '' : digits.padStart(precision, '0');
  const prefix = verb === 'O' ? '0o' : flags.includes('#') ? (PREFIXES[verb] ?? '') : '';
  return signed(value < 0n, prefix, digits, {
    ...how,
    flags: precision === undefined ? flags : flags.replaceAll('0', ''),
  });
}

function character(value: bigint): string {
  const code = Number(value);
  return code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
}

function floatVerb(value: number, how: Directive): string | undefined {
  const magnitude = Math.abs(value);
  const negative = value < 0 || Object.is(value, -0);
  if (!'vgGeEfF'.includes(how.verb)) return undefined;
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'NaN' : 'Inf';
    const sign = negative ? '-' : how.flags.includes('+') || text === 'Inf' ? '+' : '';
    return padded(sign + text, { ...how, flags: how.flags.replaceAll('0', '') });
  }
  const digits = floatDigits(magnitude, how);
  return signed(negative, '', 'EG'.includes(how.verb) ? digits.toUpperCase() : digits, how);
}

function floatDigits(value: number, { verb, precision }: Directive): string {
  switch (verb) {
    case 'f':
    case 'F':
      return formatFixed(value, precision ?? 6);
    case 'e':
    case 'E':
      return formatExponent(value, precision ?? 6);
    default: {
      if (precision === undefined) return verb === 'v' ? formatFloat(value) : shortest(value);
      return formatGeneral(value, precision);
    }
  }
}

/** `%g`: as `%v`, which has its exponents at the same place. */
function shortest(value: number): string {
  return formatFloat(value);
}

function signed(negative: boolean, prefix: string, digits: string, how: Directive): string {
  const sign = negative
    ? '-'
    : how.flags.includes('+') && how.verb !== 'v'
      ? '+'
      : how.flags.includes('+')
        ? '+'
        : how.flags.includes(' ')
          ? ' '
          : '';
  const zeros = how.flags.includes('0') && !how.flags.includes('-');
  const body = zeros ? digits.padStart((how.width ?? 0) - sign.length - prefix.length, '0') : digits;
  return padded(sign + prefix + body, { ...how, flags: how.flags.replaceAll('0', '') });
}

function padded(text: string, { width, flags }: Directive): string {
  if (width === undefined) return text;
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  return (flags.includes('0') ? '0' : ' ').repeat(missing) + text;
}
