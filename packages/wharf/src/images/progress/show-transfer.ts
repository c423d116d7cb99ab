import type { Output } from '../../cli/output.ts';
import { printDockerLines } from './docker-lines.ts';
import { type ProgressMessage, throwIfFailed } from './message.ts';
import { Transfer } from './transfer.ts';
import { doneLine, transferLine } from './transfer-line.ts';

const FRAME_MS = 100;
const DEFAULT_COLUMNS = 80;
const ERASE = '\r\u001b[2K';

interface Shown {
  /** What is moved, for the line's start. */
  readonly name: string;
  readonly out: Output;
  readonly quiet?: boolean;
  readonly onAux?: (aux: unknown) => void;
}

/**
 * Shows a pull or a push: one line on a terminal, docker's lines elsewhere, nothing when quiet. Throws the daemon's error, below the line
 * that got so far.
 */
export async function showTransfer(
  messages: AsyncIterable<ProgressMessage>,
  { name, out, quiet = false, onAux }: Shown,
): Promise<void> {
  if (quiet) return printDockerLines(messages, { write: () => undefined }, onAux);
  if (!out.isTerminal) return printDockerLines(messages, out, onAux);
  const transfer = new Transfer(performance.now());
  const columns = () => out.columns || DEFAULT_COLUMNS;
  const draw = (): void => {
    out.write(`${ERASE}${transferLine(transfer, { name, columns: columns(), nowMs: performance.now() })}`);
  };
  const timer = setInterval(draw, FRAME_MS);
  try {
    draw();
    for await (const message of messages) {
      if (message.aux !== undefined) onAux?.(message.aux);
      throwIfFailed(message);
      transfer.update(message, performance.now());
    }
    out.write(`${ERASE}${doneLine(transfer, { name, columns: columns(), nowMs: performance.now() })}\n`);
    for (const note of transfer.notes) out.line(note);
  } catch (error) {
    draw();
    out.line();
    throw error;
  } finally {
    clearInterval(timer);
  }
}
