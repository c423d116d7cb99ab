import { UsageError } from '../cli/errors.ts';
import type { BuildModel } from './model.ts';
import { PlainView } from './view/plain.ts';
import { rawJsonView } from './view/rawjson.ts';
import { TerminalView } from './view/tty.ts';
import type { View } from './view/view.ts';

export type ViewKind = 'tty' | 'plain' | 'rawjson' | 'quiet';

const KINDS: Readonly<Record<string, ViewKind | 'auto'>> = {
  auto: 'auto',
  tty: 'tty',
  plain: 'plain',
  rawjson: 'rawjson',
  quiet: 'quiet',
  none: 'quiet',
};

/** The terminal, or whatever takes the view. */
type Screen = NodeJS.WriteStream & { readonly fd: 2 };

/** Which view a build is given: `--progress`, then BUILDKIT_PROGRESS, then what the terminal can do. Throws UsageError. */
export function viewKind(
  given: { readonly progress: string | undefined; readonly quiet: boolean },
  env: NodeJS.ProcessEnv,
  isTerminal: boolean,
): ViewKind {
  const name = given.progress || env['BUILDKIT_PROGRESS'] || 'auto';
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined) {
    throw new UsageError(`invalid progress mode: ${name}`, 'There are auto, tty, plain, quiet, none and rawjson.');
  }
  if (given.quiet) {
    if (kind !== 'auto' && kind !== 'quiet') throw new UsageError(`progress=${name} and quiet cannot be used together`);
    return 'quiet';
  }
  if (kind === 'tty' && !isTerminal)
    throw new UsageError('failed to get console: standard error is no terminal', 'Use --progress plain.');
  if (kind !== 'auto') return kind;
  return isTerminal && env['TERM'] !== 'dumb' ? 'tty' : 'plain';
}

/** Opens it on standard error, so that standard output is the result's alone. */
export function openView(
  kind: ViewKind,
  given: { readonly model: BuildModel; readonly explain: boolean; readonly title: string; readonly coloured: boolean },
): View {
  const screen = process.stderr as Screen;
  const write = (text: string): void => void screen.write(text);
  switch (kind) {
    case 'quiet':
      return { update: () => undefined, finish: () => undefined };
    case 'rawjson':
      return rawJsonView(write);
    case 'plain':
      return new PlainView({ ...given, write });
    case 'tty':
      return new TerminalView({
        ...given,
        write,
        size: () => ({ columns: screen.columns || 80, rows: screen.rows || 24 }),
        onResize: (listener) => {
          screen.on('resize', listener);
          return () => void screen.off('resize', listener);
        },
      });
  }
}
