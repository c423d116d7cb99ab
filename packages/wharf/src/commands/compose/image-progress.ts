import { humanSize } from '../../term/units.ts';
import type { ProgressEvent } from './progress/event.ts';

/** A line of the daemon's answer to a pull or push. */
export interface TransferMessage {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: TransferDetail;
  readonly errorDetail?: { readonly message?: string };
  readonly error?: string;
}

export interface TransferDetail {
  readonly current?: number;
  readonly total?: number;
  readonly units?: string;
  readonly hidecounts?: boolean;
}

const BAR = 50;
const MOVING = ['Downloading', 'Extracting', 'Verifying Checksum'];
const OVER = ['Download complete', 'Already exists', 'Pull complete'];

/** What a message of a pull says of a layer; `undefined` for what is no layer's. */
export function pullEvent(
  parentId: string,
  { id = '', status = '', progressDetail }: TransferMessage,
): ProgressEvent | undefined {
  if (id === '' || progressDetail === undefined) return undefined;
  const { current = 0, total = 0 } = progressDetail;
  const moves = MOVING.includes(status);
  const isOver = OVER.includes(status) || /Image is up to date|Downloaded newer image/.test(status);
  return {
    ...{ id, parentId, text: status, statusText: barOf(progressDetail), status: isOver ? 'done' : 'working' },
    current: moves ? current : 0,
    total: moves ? total : 0,
    percent: isOver ? 100 : moves && total > 0 ? Math.trunc((current * 100) / total) : 0,
  };
}

/** What a message of a push says of a layer; `undefined` for what is no layer's. */
export function pushEvent(
  name: string,
  { id = '', status = '', progressDetail }: TransferMessage,
): ProgressEvent | undefined {
  if (id === '') return undefined;
  const isOver = /^(pushed|layer already exists)$/i.test(status);
  const { current = 0, total = 0 } = progressDetail ?? {};
  const isKnown = total > 0;
  return {
    id: `Pushing ${name}: ${id}`,
    ...{ text: status, statusText: progressDetail === undefined ? '' : barOf(progressDetail) },
    status: isOver ? 'done' : 'working',
    current: isKnown ? current : 0,
    total: isKnown ? total : 0,
    percent: isKnown ? Math.trunc((current * 100) / total) : isOver ? 100 : 0,
  };
}

/** `[====>      ]  1.2MB/3MB`, as docker's clients draw it where there is no terminal. */
export function barOf({ current = 0, total = 0, units = '', hidecounts = false }: TransferDetail): string {
  if (current <= 0 && total <= 0) return '';
  if (total <= 0) return units === '' ? humanSize(current).padStart(8) : `${current} ${units}`;
  const filled = Math.min(BAR, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const bar = `[${'='.repeat(filled)}>${' '.repeat(BAR - filled)}] `;
  if (hidecounts) return bar;
  if (units !== '') return current > total ? `${bar}${current} ${units}` : `${bar}${current}/${total} ${units}`;
  const done = humanSize(current).padStart(8);
  return current > total ? bar + done : `${bar}${done}/${humanSize(total)}`;
}
