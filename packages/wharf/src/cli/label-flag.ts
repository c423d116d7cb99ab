/** Checks a label of a flag. Throws docker's complaint. */
export function checkLabel(text: string): string {
  const equals = text.indexOf('=');
  const key = (equals < 0 ? text : text.slice(0, equals)).trim();
  if (key === '') throw new Error(`invalid label '${text}': empty name`);
  // Go keeps what stands before the sign without its blanks to the left.
  if (/\s/.test(key)) throw new Error(`label '${key}' contains whitespaces`);
  return text;
}

/** Labels of the form `KEY=VALUE` or `KEY`; the last of a key counts. */
export function labelMap(labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels.map((label) => {
      const equals = label.indexOf('=');
      return equals < 0 ? [label, ''] : [label.slice(0, equals), label.slice(equals + 1)];
    }),
  );
}
