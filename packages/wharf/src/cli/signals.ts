import { ExitError } from './errors.ts';

const FORCE_AFTER = 3;
const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Takes over ctrl-C: the signal aborts with an ExitError of 128 + its number, the third one ends the program at once. Until somebody
 * asks for it, Node's own way holds: the program dies by the signal.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  let count = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      count += 1;
      if (count >= FORCE_AFTER) {
        process.stderr.write('\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
        process.exit(1);
      }
      controller.abort(new ExitError(128 + NUMBERS[name]));
    });
  }
  return controller.signal;
}
