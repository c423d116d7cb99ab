import type { Progress } from '@wharf/compose/run/progress';
import type { CliContext } from '../../../cli/context.ts';
import type { Appearance } from '../settings.ts';
import type { ProgressView } from './event.ts';
import { liveProgress } from './live.ts';
import { jsonProgress, plainProgress, quietProgress } from './plain.ts';

const DEFAULT_SIZE = { columns: 80, rows: 24 };

/** Opens the view on standard error, where docker compose has it. */
export function openProgress(
  { err }: Pick<CliContext, 'err'>,
  { progress, colouredErr }: Appearance,
  given: { readonly title: string; readonly dryRun: boolean },
): ProgressView {
  const write = (text: string): void => err.write(text);
  const { title, dryRun } = given;
  switch (progress) {
    case 'quiet':
      return quietProgress();
    case 'json':
      return jsonProgress({ write, dryRun });
    case 'plain':
      return plainProgress({ write, dryRun });
    case 'live':
      return liveProgress({
        ...{ title, write, dryRun, coloured: colouredErr },
        size: () => {
          const { columns, rows } = err.stream;
          return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
        },
      });
  }
}

/** The runner's news for a view: what happens to a container or network is its status, which docker compose prints behind two blanks. */
export function runnerProgress(view: ProgressView): Progress {
  return ({ text, statusText, ...event }) =>
    view.event({ ...event, statusText: statusText === undefined || statusText === '' ? text : statusText });
}
