/** A number as Go's `%.Ng`: that many digits at most, an exponent from 10^N on (`1e+03`) and below 10^-4. */
export function formatGeneral(value: number, precision: number): string {
  const digits = Math.max(1, Math.min(precision, 100));
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const exact = value.toExponential(digits - 1);
  const exponent = Number(exact.slice(exact.indexOf('e') + 1));
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = ''] = exact.split('e');
    const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    return `${short}e${power.replace(/^([+-])(\d)$/, '$10$2')}`;
  }
  const text = value.toFixed(Math.max(0, digits - 1 - exponent));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
