import type { Output } from '../cli/output.ts';

const START = ' Info -> ';

/** A note as docker's client prints it: an empty line, its mark, and further lines below the first. */
export function printNote(out: Output, text: string): void {
  const [first = '', ...more] = text.split('\n');
  out.write(`\n${[`${START}${first}`, ...more.map((line) => `${' '.repeat(START.length)}${line}`)].join('\n')}\n`);
}
