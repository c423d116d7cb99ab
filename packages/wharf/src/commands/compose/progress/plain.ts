import { DRY_RUN_MARK, type ProgressEvent, type ProgressView } from './event.ts';

export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly dryRun: boolean;
}

/** A line for each piece of news, as docker compose writes them where there is no terminal. */
export function plainProgress({ write, dryRun }: PlainOptions): ProgressView {
  const mark = dryRun ? DRY_RUN_MARK : '';
  return {
    event: ({ id, text = '', statusText = '' }) => write(`${mark} ${id} ${text} ${statusText}\n`),
    tail: (message) => write(`${mark}${message}\n`),
    finish: () => undefined,
  };
}

/** Each piece of news as a line of JSON, in docker compose's fields and their order. */
export function jsonProgress({ write, dryRun }: PlainOptions): ProgressView {
  const print = (fields: Readonly<Record<string, string | number | boolean | undefined>>): void => {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => Boolean(value)));
    write(`${goJson({ ...(dryRun ? { 'dry-run': true } : {}), ...given })}\n`);
  };
  return {
    event: (event: ProgressEvent) =>
      print({
        ...{ id: event.id, parent_id: event.parentId, text: event.text, status: event.statusText },
        ...{ current: event.current, total: event.total, percent: event.percent },
      }),
    tail: (message) => print({ tail: true, text: message }),
    finish: () => undefined,
  };
}

/** What shows nothing. */
export function quietProgress(): ProgressView {
  return { event: () => undefined, tail: () => undefined, finish: () => undefined };
}

/** JSON in one line as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
