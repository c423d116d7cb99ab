import type { CliContext } from './context.ts';
import { ExitError } from './errors.ts';
import type { FlagTable } from './flags.ts';

/**
 * Asks a question that `y` alone affirms, as docker asks it: `QUESTION [y/N] ` on standard output, the answer a line of standard input.
 * No line is no. Ends the program with status 0 at ctrl-C, as docker does, after the line was ended.
 */
export async function confirm<T extends FlagTable>(context: CliContext<T>, question: string): Promise<boolean> {
  // Taken first: from the question on, ctrl-C is an answer.
  const { signal } = context;
  context.out.write(`${question} [y/N] `);
  try {
    const answer = await readLine(signal);
    return answer.trim().toLowerCase() === 'y';
  } catch (error) {
    if (!signal.aborted) throw error;
    context.out.line();
    throw new ExitError(0);
  }
}

/** A line of standard input, without its break; empty at its end. Throws the signal's reason. */
export function readLine(signal: AbortSignal): Promise<string> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    let text = '';
    const leave = (): void => {
      signal.removeEventListener('abort', abort);
      stdin.removeAllListeners();
      stdin.pause();
      // A file has no such thing.
      if ('unref' in stdin) stdin.unref();
    };
    const abort = (): void => {
      leave();
      reject(signal.reason as Error);
    };
    const end = (): void => {
      leave();
      resolve(text.split('\n')[0] ?? '');
    };
    stdin.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) end();
    });
    stdin.on('end', end);
    stdin.on('error', reject);
    signal.addEventListener('abort', abort, { once: true });
  });
}
