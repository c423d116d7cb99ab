/**
 * One record of a log file as a scanner finds it: positions in buffers, no copies. The object is reused for each
 * record, and the buffers for each chunk: what is to be kept must be copied in the callback.
 */
export class LogRecord {
  stream: 1 | 2 = 1;
  data: Buffer = EMPTY;
  start = 0;
  end = 0;
  /** A newline follows the data: the line is complete. */
  newline = true;
  /** RFC 3339 text with up to nine fraction digits. */
  time: Buffer = EMPTY;
  timeStart = 0;
  timeEnd = 0;
  /** Where the record begins in the chunk. */
  offset = 0;
}

const EMPTY = Buffer.alloc(0);

/** Returns false to stop before the next record. */
export type VisitRecord = (record: LogRecord) => boolean;

/** Reads records out of chunks of a file. */
export interface LogScanner {
  /** Visits every complete record in `chunk` and returns how many bytes were used up. */
  scan(chunk: Buffer, visit: VisitRecord): number;
}
