const hidden = 'xxxxx';
const secretKey = /pass(?:word|wd)?|secret|token|credential|authorization|^auth$|api[-_]?key|private[-_]?key/i;

/**
 * Hides the password in every URL (`https://user:pw@host` → `https://user:xxxxx@host`) and the value of `Bearer`/`Basic`
 * authorisations in a text. Linear in its length: it looks at each `://` once.
 */
export function redact(text: string): string {
  return redactUrls(text).replace(/\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{6,}/g, `$1 ${hidden}`);
}

function redactUrls(text: string): string {
  let result = '';
  let from = 0;
  for (;;) {
    const scheme = text.indexOf('://', from);
    if (scheme < 0) return result + text.slice(from);
    const start = scheme + 3;
    let end = start;
    let at = -1;
    // Up to the end of the authority. The last "@" counts: passwords may hold unescaped ones.
    while (end < text.length && !/[\s/?#"'<>]/.test(text[end] ?? '')) {
      if (text[end] === '@') at = end;
      end += 1;
    }
    const colon = text.indexOf(':', start);
    result += text.slice(from, start);
    if (at >= 0 && colon >= 0 && colon < at) result += `${text.slice(start, colon + 1)}${hidden}${text.slice(at, end)}`;
    else result += text.slice(start, end);
    from = end;
  }
}

/** A copy of plain data with the values of secret-looking keys hidden and every string passed through `redact`. */
export function redactFields(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || depth > 16) return value;
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      secretKey.test(key) && item !== '' ? hidden : redactFields(item, depth + 1),
    ]),
  );
}
