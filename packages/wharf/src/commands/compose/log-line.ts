/** What a message needs quotes for (logrus, TextFormatter). */
const PLAIN = /^[\w./@^+-]+$/;

/** A warning as docker compose's log has it: with its time in a file, short on a terminal. */
export function warningLine(
  message: string,
  given: { readonly isTerminal: boolean; readonly now: Date; readonly coloured: boolean },
): string {
  if (given.isTerminal) {
    const word = given.coloured ? '\u001b[33mWARN\u001b[0m' : 'WARN';
    const seconds = String(Math.floor(process.uptime())).padStart(4, '0');
    return `${word}[${seconds}] ${message}\n`;
  }
  const time = given.now.toISOString().replace(/\.\d+Z$/, 'Z');
  return `time="${time}" level=warning msg=${PLAIN.test(message) ? message : JSON.stringify(message)}\n`;
}
