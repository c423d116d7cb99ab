let cachedSecond = -1;
let cachedText = '';

/** The time of day in the form of the `Date` header (RFC 9110, section 5.6.7). */
export function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedText = new Date(second * 1000).toUTCString();
  }
  return cachedText;
}
