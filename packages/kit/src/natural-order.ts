/** Compares texts as people count: `net2` before `net10`. Digits come before other characters; `a01` after `a1`. */
export function naturalOrder(left: string, right: string): number {
  let [l, r] = [0, 0];
  while (l < left.length && r < right.length) {
    const [isLeftDigit, isRightDigit] = [isDigit(left, l), isDigit(right, r)];
    if (isLeftDigit !== isRightDigit) return isLeftDigit ? -1 : 1;
    if (!isLeftDigit) {
      const difference = left.charCodeAt(l) - right.charCodeAt(r);
      if (difference !== 0) return difference;
      l += 1;
      r += 1;
      continue;
    }
    const [one, other] = [numberAt(left, l), numberAt(right, r)];
    if (one.digits.length !== other.digits.length) return one.digits.length - other.digits.length;
    if (one.digits !== other.digits) return one.digits < other.digits ? -1 : 1;
    if (one.zeros !== other.zeros) return one.zeros - other.zeros;
    l = one.end;
    r = other.end;
  }
  return left.length - right.length;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function numberAt(text: string, at: number): { readonly digits: string; readonly zeros: number; readonly end: number } {
  let start = at;
  while (text[start] === '0') start += 1;
  let end = start;
  while (isDigit(text, end)) end += 1;
  return { digits: text.slice(start, end), zeros: start - at, end };
}
