/** As many digits as tell whether a double lies exactly between two shorter numbers. */
const EXACT_DIGITS = 100;
const TIE = /^50*$/;

/** A number as Go's `%.Ng`: that many digits at most, an exponent from 10^N on (`1e+03`) and below 10^-4. */
export function formatGeneral(value: number, precision: number): string {
  const digits = Math.max(1, Math.min(precision, EXACT_DIGITS));
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const exact = formatExponent(value, digits - 1);
  const exponent = Number(exact.slice(exact.indexOf('e') + 1));
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = ''] = exact.split('e');
    return `${withoutZeros(mantissa)}e${power}`;
  }
  return withoutZeros(formatFixed(value, Math.max(0, digits - 1 - exponent)));
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** As Go's `%.Nf`. What lies exactly between two numbers goes to the even one, not up as `toFixed()` has it. */
export function formatFixed(value: number, places: number): string {
  const digits = Math.min(places, EXACT_DIGITS);
  // From here on toFixed() writes exponents, and doubles are whole.
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${digits === 0 ? '' : `.${'0'.repeat(digits)}`}`;
  const exact = value.toFixed(EXACT_DIGITS);
  const cut = exact.length - EXACT_DIGITS + digits;
  if (digits === EXACT_DIGITS || !TIE.test(exact.slice(cut))) return value.toFixed(digits);
  const down = digits === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  return Number(down.at(-1)) % 2 === 0 ? down : value.toFixed(digits);
}

/** As Go's `%.Ne`, with an exponent of two digits at least. */
export function formatExponent(value: number, places: number): string {
  const digits = Math.min(places, EXACT_DIGITS);
  const [mantissa = '', power = ''] = value.toExponential(EXACT_DIGITS).split('e');
  const cut = mantissa.length - EXACT_DIGITS + digits;
  const down = digits === 0 ? mantissa.slice(0, cut - 1) : mantissa.slice(0, cut);
  const isTie = digits < EXACT_DIGITS && TIE.test(mantissa.slice(cut));
  const text = isTie && Number(down.at(-1)) % 2 === 0 ? `${down}e${power}` : value.toExponential(digits);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}
