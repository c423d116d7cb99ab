import { type ProgressMessage, throwIfFailed } from './message.ts';

interface Lines {
  write(text: string): void;
}

/** Prints progress as docker does where there is no terminal: changes of state, no counts. Throws the daemon's error. */
export async function printDockerLines(
  messages: AsyncIterable<ProgressMessage>,
  out: Lines,
  onAux?: (aux: unknown) => void,
): Promise<void> {
  for await (const message of messages) {
    if (message.aux !== undefined) {
      onAux?.(message.aux);
      continue;
    }
    throwIfFailed(message);
    const text = dockerLine(message);
    if (text !== undefined) out.write(text);
  }
}

/** The line of a message; `undefined` for counts. */
export function dockerLine(message: ProgressMessage): string | undefined {
  const { id, from, status = '', stream = '', progress = '', progressDetail } = message;
  if ((progressDetail?.current ?? 0) > 0 || (progressDetail?.total ?? 0) > 0) return undefined;
  const start = `${id ? `${id}: ` : ''}${from ? `(from ${from}) ` : ''}`;
  if (progress !== '') return `${start}${status} ${progress}`;
  return stream === '' ? `${start}${status}\n` : `${start}${stream}`;
}
