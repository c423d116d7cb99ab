import { readlinkSync } from 'node:fs';
import { until } from '../../scripts/lib/delay.ts';
import { type RunResult, run } from '../../scripts/lib/run.ts';
import type { OwnHost } from './own-host.ts';

/** Another machine, to which a link of the host leads: a network namespace that goes with the host. */
export class OtherMachine {
  readonly #pid: number;

  private constructor(pid: number) {
    this.#pid = pid;
  }

  /** The far end of a veth pair of the host's moves there, comes up and has that address, `a.b.c.d/n`. */
  static async behind(host: OwnHost, link: string, address: string): Promise<OtherMachine> {
    const { pid = 0 } = host.spawn('unshare', '--net', 'sleep', 'infinity');
    const home = (await host.must('readlink', '/proc/self/ns/net')).trim();
    const start = readlinkSync('/proc/self/ns/net');
    await until('the other machine is there', () => {
      const now = readlinkSync(`/proc/${pid}/ns/net`);
      return now !== home && now !== start ? true : undefined;
    });
    await host.must('ip', 'link', 'set', link, 'netns', String(pid));
    const machine = new OtherMachine(pid);
    for (const args of [
      ['link', 'set', 'lo', 'up'],
      ['link', 'set', link, 'up'],
      ['addr', 'add', address, 'dev', link],
    ]) {
      const { code, output } = await machine.run('ip', ...args);
      if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${output}`);
    }
    return machine;
  }

  run(...command: readonly string[]): Promise<RunResult> {
    return run(['nsenter', '-t', String(this.#pid), '--net', ...command], { timeoutMs: 20_000 });
  }
}
