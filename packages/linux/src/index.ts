/** The names most used; modules are also importable one by one, which costs less (`@wharf/linux/mount`). */
export { SystemError } from './errno.ts';
export { parseSignal, SIGNALS, signalName } from './signals.ts';
