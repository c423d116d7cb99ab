import { delay } from '../../scripts/lib/delay.ts';
import type { Case } from '../lib/case.ts';

/** The images of the bench were just loaded: until the threads for that have ended. */
const SETTLE_MS = 25_000;

/** The daemon's memory when nothing runs. Goes first, while the daemons are fresh. */
export const idle: Case = {
  name: 'idle',
  metrics: [{ name: 'idle', title: 'memory of the idle daemon (PSS)', unit: 'MiB', maxValue: 90 }],
  rounds: () => 1,
  async round(contestant) {
    await delay(SETTLE_MS);
    return { idle: contestant.pssAloneBytes() / (1024 * 1024) };
  },
};
