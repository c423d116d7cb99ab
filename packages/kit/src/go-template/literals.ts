const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3}))/gy;

/** The text of a Go literal in its quotes (`"…"`, `` `…` ``, `'…'`), or `undefined` where it is none. */
export function unquote(source: string): string | undefined {
  const quote = source[0] ?? '';
  const body = source.slice(1, -1);
  if (source.length < 2 || source.at(-1) !== quote) return undefined;
  if (quote === '`') return body.replaceAll('\r', '');
  let text = '';
  for (let at = 0; at < body.length; ) {
    const character = body[at] ?? '';
    if (character === quote || character === '\n') return undefined;
    if (character !== '\\') {
      text += character;
      at += 1;
      continue;
    }
    ESCAPE.lastIndex = at;
    const match = ESCAPE.exec(body);
    const escaped = match === null ? undefined : readEscape(match, quote);
    if (match === null || escaped === undefined) return undefined;
    text += escaped;
    at += match[0].length;
  }
  return text;
}

function readEscape(match: RegExpExecArray, quote: string): string | undefined {
  const [, simple, hex, short, long, octal] = match;
  if (simple !== undefined) {
    if (simple === "'" || simple === '"') return simple === quote ? simple : undefined;
    return ESCAPES[simple];
  }
  const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || (octal !== undefined && code > 255)) return undefined;
  return String.fromCodePoint(code);
}

export interface NumberLiteral {
  readonly integer: bigint | undefined;
  readonly float: number | undefined;
}

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** A number as Go's templates read it (`12`, `0x1f`, `1e3`, `'a'`), or what is wrong with it in Go's words. */
export function parseNumber(source: string): NumberLiteral | string {
  if (source.startsWith("'")) {
    const character = unquote(source);
    const [only, ...more] = Array.from(character ?? '');
    if (only === undefined || more.length > 0) return `malformed character constant: ${source}`;
    return { integer: BigInt(only.codePointAt(0) ?? 0), float: undefined };
  }
  const integer = parseInteger(source);
  if (integer !== undefined && integer >= -MAX_INT64 - 1n && integer <= MAX_UINT64) {
    return { integer, float: Number(integer) };
  }
  if (/^[+-]?\d[\d_]*$/.test(source)) return `integer overflow: ${JSON.stringify(source)}`;
  const float = parseFloatLiteral(source);
  if (float === undefined) return `illegal number syntax: ${JSON.stringify(source)}`;
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63 ? BigInt(float) : undefined;
  return { integer: whole, float };
}

function parseInteger(source: string): bigint | undefined {
  const match =
    /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9]\d*(?:_\d+)*)$/.exec(
      source,
    );
  if (match === null) return undefined;
  const [, sign = '', digits = ''] = match;
  const plain = digits.replaceAll('_', '').replace(/^0[oO]?(?=[0-7])/, '0o');
  const value = BigInt(plain);
  return sign === '-' ? -value : value;
}

function parseFloatLiteral(source: string): number | undefined {
  if (!/^[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(source)) return undefined;
  return Number(source.replaceAll('_', ''));
}
