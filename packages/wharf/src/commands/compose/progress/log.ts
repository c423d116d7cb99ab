import type { LogConsumer } from '../log-printer.ts';
import type { ComposeSession } from '../session.ts';
import type { ProgressView } from './event.ts';
import { openProgress } from './view.ts';

/** Progress while lines of containers are shown: lines among them on a terminal, else what it is without them. */
export function logProgress({ context, appearance, dryRun }: ComposeSession, consumer: LogConsumer): ProgressView {
  if (appearance.progress !== 'live') {
    return openProgress(context, appearance, { title: '', dryRun });
  }
  const paint = (code: number, text: string): string =>
    appearance.colouredOut ? `\u001b[${code}m${text}\u001b[0m` : text;
  return {
    event: ({ id, text = '', statusText = '' }) => consumer.status('', `${id} ${text} ${paint(32, statusText)}`),
    tail: (message) => consumer.status('', paint(33, message)),
    finish: () => undefined,
  };
}
