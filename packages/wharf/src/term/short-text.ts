import { fit, widthOf } from '../build/view/text.ts';

const SHORT_ID = 12;

/** An id as lists show it: without its algorithm, the first twelve digits. */
export function shortId(id: string): string {
  const colon = id.indexOf(':');
  return (colon < 0 ? id : id.slice(colon + 1)).slice(0, SHORT_ID);
}

/** The text, cut to so many columns with `…` at its end. */
export function ellipsis(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : fit(text, columns);
}
