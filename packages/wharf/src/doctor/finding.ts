/** What one look at the machine found. `fail`: containers cannot run; `warn`: something will be missing. */
export interface Finding {
  /** Stable name, for scripts: `kernel.overlay`. */
  readonly id: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** One line: what is the case. */
  readonly message: string;
  /** The command that mends it. */
  readonly fix?: string;
}

/** One look at the machine. Never changes anything that outlives it. */
export type Check = () => Finding | Promise<Finding>;

export function ok(id: string, message: string): Finding {
  return { id, status: 'ok', message };
}

export function warn(id: string, message: string, fix?: string): Finding {
  return { id, status: 'warn', message, ...(fix === undefined ? {} : { fix }) };
}

export function fail(id: string, message: string, fix?: string): Finding {
  return { id, status: 'fail', message, ...(fix === undefined ? {} : { fix }) };
}
