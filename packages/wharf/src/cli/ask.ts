import { WharfError } from '@wharf/kit/errors';
import { readLine } from './confirm.ts';
import { ExitError } from './errors.ts';
import type { Output } from './output.ts';

interface Asker {
  readonly out: Output;
  readonly signal: AbortSignal;
}

/** A line from the terminal. Ctrl-C ends the program with status 0, as docker's. */
export async function ask({ out, signal }: Asker, question: string): Promise<string> {
  out.write(question);
  try {
    return (await readLine(signal)).trim();
  } catch (error) {
    if (!signal.aborted) throw error;
    out.line();
    throw new ExitError(0);
  }
}

/** As `ask()`, for what nobody may read over one's shoulder: it is not shown. */
export function askSecret({ out }: Pick<Asker, 'out'>, question: string): Promise<string> {
  const { stdin } = process;
  // Before the question: who answers it at once is not shown either.
  stdin.setRawMode(true);
  out.write(question);
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (finish: () => void): void => {
      stdin.off('data', onData).off('end', onEnd);
      stdin.setRawMode(false);
      out.line();
      stdin.pause();
      stdin.unref();
      finish();
    };
    const onEnd = (): void => end(() => resolve(text.trim()));
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString('utf8')) {
        if (character === '\u0003' || character === '\u0004') {
          end(() => reject(new ExitError(0)));
          return;
        }
        if (character === '\r' || character === '\n') {
          onEnd();
          return;
        }
        text = character === '\u007f' || character === '\b' ? text.slice(0, -1) : text + character;
      }
    };
    stdin.on('data', onData).once('end', onEnd);
    stdin.ref();
    stdin.resume();
  });
}

/** Everything on standard input. */
export async function readStandardInput(limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes)
      throw new WharfError('resource-exhausted', `standard input is longer than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
