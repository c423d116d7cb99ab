import { WharfError } from '@wharf/kit';

/** Signal numbers of Linux on x86-64 and arm64 (signal(7)). */
export const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

export type SignalName = keyof typeof SIGNALS;

const RTMIN = 34;
const RTMAX = 64;
const aliases: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };

/**
 * The number of a signal as Docker's clients name it: `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-1`.
 * Throws `invalid-argument`.
 */
export function parseSignal(text: string): number {
  const number = signalNumber(text.trim());
  if (number === undefined) throw new WharfError('invalid-argument', `invalid signal: ${text}`);
  return number;
}

function signalNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= RTMAX ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const known = Object.hasOwn(SIGNALS, `SIG${name}`) ? SIGNALS[`SIG${name}` as SignalName] : aliases[name];
  if (known !== undefined) return known;
  const realTime = /^(RTMIN|RTMAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!realTime) return undefined;
  const [, base, sign, offset = '0'] = realTime;
  const number = (base === 'RTMIN' ? RTMIN : RTMAX) + (sign === '-' ? -Number(offset) : Number(offset));
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}

/** `SIGTERM` for 15, `SIGRTMIN+1` for 35, `SIG77` for what has no name. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(SIGNALS)) if (value === number) return name;
  if (number === RTMIN) return 'SIGRTMIN';
  if (number > RTMIN && number <= RTMAX) return `SIGRTMIN+${number - RTMIN}`;
  return `SIG${number}`;
}
