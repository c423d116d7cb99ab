import { type Logger, messageOf } from '@wharf/kit';
import { FALLOC, fallocate } from '@wharf/linux/fsx';
import { SHIP_HOLD_BYTES, SPOOL_TRIM_BYTES } from './limits.ts';

/** A place in a spool from which on somebody reads: what lies behind it is not given back. */
export interface SpoolHold {
  offset: number;
  /** Set when the reader is too far behind to be waited for. */
  lost: boolean;
}

/** Gives the part of a spool that nobody needs any more back to the filesystem, as a hole: positions stay what they are. */
export class SpoolSpace {
  readonly #log: Logger;
  readonly #holds = new Set<SpoolHold>();
  #trimmed = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  hold(offset: number): SpoolHold {
    const hold = { offset, lost: false };
    this.#holds.add(hold);
    return hold;
  }

  release(hold: SpoolHold): void {
    this.#holds.delete(hold);
  }

  /** The spool is opened anew: what was given back before may be so again, which costs nothing. */
  forget(): void {
    this.#trimmed = 0;
  }

  /** True when enough lies before `offset` to be worth the trouble. */
  isDue(offset: number): boolean {
    return offset - this.#trimmed >= SPOOL_TRIM_BYTES;
  }

  /** Gives back what lies before `offset` and before those who read. Never throws. */
  giveBack(fd: number, offset: number): void {
    let end = offset;
    for (const hold of this.#holds) {
      if (offset - hold.offset > SHIP_HOLD_BYTES) {
        hold.lost = true;
        this.#holds.delete(hold);
      } else end = Math.min(end, hold.offset);
    }
    if (end <= this.#trimmed) return;
    try {
      fallocate(fd, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, this.#trimmed, end - this.#trimmed);
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'Shipped log takes space until the container is removed');
    }
    this.#trimmed = end;
  }
}
