/** Where a piece of work stands; what terminals show by a sign and a colour. */
export type ProgressStatus = 'working' | 'done' | 'warning' | 'error';

/**
 * One thing that happened to one resource, in compose's words.
 *
 * A later event of the same `id` takes the place of an earlier one. Events of a resource come in order; between
 * resources there is none.
 */
export interface ProgressEvent {
  /** `Container app-web-1`, `Network app_default`, `Volume app_data`, `Image app-web`, a service's name while pulling. */
  readonly id: string;
  /** The event this one is a part of: layers below the image that is pulled. */
  readonly parentId?: string;
  readonly status: ProgressStatus;
  /** `Creating`, `Started`, `Healthy`, … */
  readonly text: string;
  /** What more there is to say: an error's message, a bar's caption. */
  readonly statusText?: string;
  readonly current?: number;
  readonly total?: number;
  /** 0 to 100. */
  readonly percent?: number;
}

export type Progress = (event: ProgressEvent) => void;

/** Speaks of one resource. */
export interface Reporter {
  working(text: string): void;
  done(text: string): void;
  warning(text: string): void;
  error(text: string, statusText?: string): void;
}

/** A reporter for the resource of that id. */
export function reporter(progress: Progress, id: string): Reporter {
  const say = (status: ProgressStatus, text: string, statusText?: string): void =>
    progress({ id, status, text, ...(statusText === undefined ? {} : { statusText }) });
  return {
    working: (text) => say('working', text),
    done: (text) => say('done', text),
    warning: (text) => say('warning', text),
    error: (text, statusText) => say('error', text, statusText),
  };
}
