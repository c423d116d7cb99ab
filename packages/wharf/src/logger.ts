import type { LogFields, Logger } from '@wharf/kit';
import { pino } from 'pino';

const LEVELS: Readonly<Record<string, number>> = { debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/** The daemon's logger; its level can change while it runs. */
export interface DaemonLogger extends Logger {
  setLevel(level: string): void;
}

export interface LoggerOptions {
  readonly level: string;
  readonly format: 'text' | 'json';
}

type Sink = (level: string, fields: LogFields, message: string) => void;

/**
 * Logs to stderr: JSON lines as pino writes them, or lines for people. Writes are synchronous, so that nothing is lost when the
 * process ends at once; the daemon logs little.
 */
export function createLogger(options: LoggerOptions): DaemonLogger {
  const state = { threshold: LEVELS[options.level] ?? 30 };
  const sink = options.format === 'json' ? jsonSink() : textSink;
  const make = (bound: LogFields): Logger => {
    const at = (level: string) => (fields: LogFields, message: string) => {
      if ((LEVELS[level] ?? 0) >= state.threshold) sink(level, { ...bound, ...fields }, message);
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return {
    ...make({}),
    setLevel(level) {
      state.threshold = LEVELS[level] ?? state.threshold;
    },
  };
}

function jsonSink(): Sink {
  const logger = pino(
    { level: 'trace', base: { pid: process.pid }, serializers: { error: errorText, err: pino.stdSerializers.err } },
    pino.destination({ fd: 2, sync: true }),
  );
  return (level, fields, message) => {
    if (level === 'debug') logger.debug(fields, message);
    else if (level === 'info') logger.info(fields, message);
    else if (level === 'warn') logger.warn(fields, message);
    else logger.error(fields, message);
  };
}

const textSink: Sink = (level, fields, message) => {
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`);
  process.stderr.write(`${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${details.join('')}\n`);
};

function shown(value: unknown): string {
  const plain = value instanceof Error ? errorText(value) : value;
  const text = typeof plain === 'string' ? plain : JSON.stringify(plain);
  return /^[\w./:@-]+$/.test(text ?? '') ? text : JSON.stringify(text ?? null);
}

/** An error as one text with its causes; the stack only for broken invariants and the like. */
function errorText(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const own =
    value.name === 'Error' || value.name === 'WharfError' || 'syscall' in value
      ? value.message
      : (value.stack ?? value.message);
  return value.cause === undefined ? own : `${own}; caused by: ${String(errorText(value.cause))}`;
}
