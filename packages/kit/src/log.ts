/** Structured log fields. Values must be JSON-serialisable; pass secrets through `redact()` first. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The logger every part takes. The daemon hands in pino; tests hand in `nullLogger` or a recorder. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

/** A logger that drops everything. */
export const nullLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => nullLogger,
};
