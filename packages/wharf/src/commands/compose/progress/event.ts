/** How a piece of work stands. */
export type ProgressStatus = 'working' | 'done' | 'warning' | 'error';

/** News of a piece of work: a container that starts, a layer that comes. */
export interface ProgressEvent {
  /** `Container web-1`, `Network web_default`, the name of a service, the id of a layer. */
  readonly id: string;
  /** The id of what this is a part of. */
  readonly parentId?: string;
  readonly status: ProgressStatus;
  /** What is done: `Pulling`. Of containers the text is empty, and `statusText` says it. */
  readonly text?: string;
  /** `Creating`, `Started`, or what went wrong. */
  readonly statusText?: string;
  readonly current?: number;
  readonly total?: number;
  readonly percent?: number;
}

/** Takes the news of a command's work and shows them. */
export interface ProgressView {
  event(event: ProgressEvent): void;
  /** A line that stands after all the others. */
  tail(message: string): void;
  /** Leaves the terminal to somebody else until `resume`. */
  pause?(): void;
  resume?(): void;
  /** The last picture; nothing is shown after it. */
  finish(): void;
}

/** Docker compose's mark before each line of a dry run. */
export const DRY_RUN_MARK = ' DRY-RUN MODE - ';
