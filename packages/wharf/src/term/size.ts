import type { Output } from '../cli/output.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

const USUAL: TerminalSize = { columns: 80, rows: 24 };

/** The size of the terminal, as it is now; the usual one where none is told. `undefined` when the output is no terminal. */
export function terminalSize(output: Output): TerminalSize | undefined {
  if (!output.isTerminal) return undefined;
  const { columns, rows } = output.stream;
  return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
}
