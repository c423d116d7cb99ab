/** Colours of a view; none when it is not wanted (no-color.org). */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly busy: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function paints(coloured: boolean): Paint {
  const wrap = (code: number) => (text: string) => (coloured && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: wrap(32), bad: wrap(31), busy: wrap(36), faint: wrap(2), strong: wrap(1) };
}
