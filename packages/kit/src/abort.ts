import { WharfError } from './errors.ts';

/** A signal that aborts with `deadline-exceeded` after `ms`. Its timer does not hold the process. */
export function deadlineSignal(ms: number, what = 'The operation'): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(deadlineError(ms, what)), ms);
  timer.unref();
  return controller.signal;
}

/** A signal that aborts as soon as one of those given does; absent ones do not count. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

/**
 * Runs `work` with a signal that aborts after `ms` or with `signal`, and rejects then even when `work` does not heed it.
 * The timer is gone when `work` ends.
 */
export async function withDeadline<T>(
  options: { readonly ms: number; readonly what?: string; readonly signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(options.signal?.reason);
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () => controller.abort(deadlineError(options.ms, options.what ?? 'The operation')),
    options.ms,
  );
  try {
    return await abortable(controller.signal, work(controller.signal));
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

/** Rejects with the signal's reason when it aborts before `promise` settles. The work behind the promise goes on. */
export async function abortable<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  // A late rejection of the loser must not count as unhandled.
  aborted.promise.catch(() => {});
  promise.catch(() => {});
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function deadlineError(ms: number, what: string): WharfError {
  return new WharfError('deadline-exceeded', `${what} did not end within ${ms} ms`);
}
