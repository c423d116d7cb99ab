import { BUSYBOX } from '../../e2e/lib/images.ts';
import { type Case, type Scale, timed } from '../lib/case.ts';

const LOG_NAME = 'bench-logs';
const MEBIBYTE = 1024 * 1024;
const WRITE_TIMEOUT_MS = 300_000;

function logBytes({ quick }: Scale): number {
  return (quick ? 50 : 1000) * MEBIBYTE;
}

/** Rotation is off for both: the measure is reading all of it. */
export const logs: Case = {
  name: 'logs',
  metrics: [{ name: 'logs', title: '`logs` of 1 GB', unit: 'ms', maxRatio: 1 }],
  rounds: () => 1,
  async prepare(contestant, scale) {
    const line =
      'a line of a log as programs write them, with a number 12345678 and some more words to come to a hundred\n'.trim();
    const command = `yes '${line}' | head -c ${logBytes(scale)}`;
    const options = ['--log-driver', 'json-file', '--log-opt', 'max-size=8g', '--network', 'none'];
    await contestant.docker(['run', '-d', '--name', LOG_NAME, ...options, BUSYBOX, 'sh', '-c', command]);
    await contestant.docker(['wait', LOG_NAME], { timeoutMs: WRITE_TIMEOUT_MS });
  },
  async round(contestant, scale) {
    let count = '';
    const logsMs = await timed(async () => {
      count = await contestant.shell(`docker logs ${LOG_NAME} | wc -c`);
    });
    if (Number(count) !== logBytes(scale))
      throw new Error(`${contestant.name}: logs gave ${count.trim()} bytes of ${logBytes(scale)}`);
    return { logs: logsMs };
  },
  async cleanUp(contestant) {
    await contestant.docker(['rm', '-f', LOG_NAME]);
  },
};

export const stdio: Case = {
  name: 'stdio',
  metrics: [{ name: 'stdio', title: '200 MB through `run -i cat`', unit: 'ms', maxRatio: 1 }],
  rounds: ({ quick }) => (quick ? 1 : 3),
  async round(contestant, { quick }) {
    const bytes = (quick ? 20 : 200) * MEBIBYTE;
    let count = '';
    const ms = await timed(async () => {
      count = await contestant.shell(
        `head -c ${bytes} /dev/zero | docker run -i --rm --log-driver none ${BUSYBOX} cat | wc -c`,
      );
    });
    if (Number(count) !== bytes) throw new Error(`${contestant.name}: ${count.trim()} of ${bytes} bytes came back`);
    return { stdio: ms };
  },
};
