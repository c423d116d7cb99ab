import { WharfError } from '@wharf/kit/errors';
import type { Output } from './output.ts';

/** A line from the terminal; `isSecret` keeps it from being shown. Throws `aborted` at ctrl-C and ctrl-D. */
export function ask(out: Output, question: string, { isSecret = false } = {}): Promise<string> {
  const { stdin } = process;
  out.write(question);
  if (isSecret) stdin.setRawMode(true);
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (finish: () => void): void => {
      stdin.off('data', onData).off('end', onEnd);
      if (isSecret) {
        stdin.setRawMode(false);
        out.line();
      }
      stdin.pause();
      stdin.unref();
      finish();
    };
    const onEnd = (): void => end(() => resolve(text.trim()));
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString('utf8')) {
        if (character === '\u0003' || character === '\u0004') {
          end(() => reject(new WharfError('aborted', 'prompt terminated')));
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
