import type { DockerClient } from '@wharf/wire/docker-client/client';
import { containerPath } from '../path.ts';

/** All that Node can hear, except those that are about us: a child's end, a reader that left. */
const FORWARDED =
  'ABRT ALRM CONT HUP INT IO PWR QUIT STKFLT SYS TERM TRAP TSTP TTIN TTOU USR1 USR2 VTALRM WINCH XCPU XFSZ'.split(' ');
const FORCE_AFTER = 3;

/** Sends the signals that reach us on to a container, until it is disposed. The third ctrl-C or SIGTERM ends us. */
export function forwardSignals(client: DockerClient, container: string): Disposable {
  const listeners = new Map<NodeJS.Signals, () => void>();
  let endings = 0;
  for (const signal of FORWARDED) {
    const listener = (): void => {
      if (signal === 'INT' || signal === 'TERM') {
        endings += 1;
        if (endings >= FORCE_AFTER) {
          process.stderr.write('\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
          process.exit(1);
        }
      }
      // A container that is over cannot be reached: its end is told by other means.
      client.text('POST', containerPath(container, '/kill'), { query: { signal } }).catch(() => undefined);
    };
    const name = `SIG${signal}` as NodeJS.Signals;
    listeners.set(name, listener);
    process.on(name, listener);
  }
  return {
    [Symbol.dispose]: () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
