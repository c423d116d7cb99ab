/** What `JSON.rawJSON` makes: a value that is written as it stands (ECMA-262, JSON.parse source text access). */
interface RawJsonApi {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}

const rawJson = JSON as unknown as RawJsonApi;

/** A run of digits that may be beyond 2^53; texts without one need no reviver. */
const longDigits = /\d{16}/;
const integer = /^-?\d+$/;

/**
 * Parses JSON; integers that a double cannot hold exactly come as `bigint`.
 * Throws `SyntaxError` as `JSON.parse` does.
 */
export function parseJson(text: string): unknown {
  if (!longDigits.test(text)) return JSON.parse(text);
  return rawJson.parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return source !== undefined && integer.test(source) ? BigInt(source) : value;
  });
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson.rawJSON(value.toString()) : value;
}

/** Writes JSON; a `bigint` becomes a plain number of all its digits. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    // The engine refuses a bigint with a TypeError, and pays nothing for the check where there is none.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, bigintAsNumber) ?? 'null';
  }
}
