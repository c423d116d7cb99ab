import { Float, type Value } from './values.ts';
import { parseInteger } from './yaml-scalars.ts';

/** Turns an interpolated text into the type its attribute has. Throws an `Error` in Go's words. */
export type Cast = (text: string, warn: (message: string) => void) => Value;

const DECIMAL = /^[-+]?[0-9]+$/;
const FLOAT = /^[-+]?(?:(?:[0-9]+(?:_?[0-9])*)?\.?[0-9]*(?:e[-+]?[0-9]+)?|inf(?:inity)?|nan)$/i;

/** An integer (Go's `strconv.Atoi` and `ParseInt`). */
export const toInt: Cast = (text) => integer(text, 'Atoi');
export const toInt64: Cast = (text) => integer(text, 'ParseInt');

/** A floating point number of 64 or 32 bits (Go's `strconv.ParseFloat`). */
export const toFloat: Cast = (text) => new Float(float(text), 64);
export const toFloat32: Cast = (text) => new Float(float(text), 32);

/** A boolean; YAML 1.1's words are taken, with a warning. */
export const toBoolean: Cast = (text, warn) => {
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'y':
    case 'yes':
    case 'on':
      warn(`${JSON.stringify(text)} for boolean is not supported by YAML 1.2, please use \`true\``);
      return true;
    case 'n':
    case 'no':
    case 'off':
      warn(`${JSON.stringify(text)} for boolean is not supported by YAML 1.2, please use \`false\``);
      return false;
    default:
      throw new Error(`invalid boolean: ${text}`);
  }
};

function integer(text: string, name: string): number | bigint {
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text.replace(/^[-+]/, '').replace(/^0+(?=\d)/, '');
  const value = DECIMAL.test(text) ? parseInteger(sign + digits) : undefined;
  if (value !== undefined && BigInt(value) < 2n ** 63n) return value;
  const reason = DECIMAL.test(text) ? 'value out of range' : 'invalid syntax';
  throw new Error(`strconv.${name}: parsing ${JSON.stringify(text)}: ${reason}`);
}

function float(text: string): number {
  const value = Number(text.replace(/^([-+]?)inf(inity)?$/i, '$1Infinity').replace(/^[-+]?nan$/i, 'NaN'));
  if (text === '' || !FLOAT.test(text) || (Number.isNaN(value) && !/nan/i.test(text)))
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}
