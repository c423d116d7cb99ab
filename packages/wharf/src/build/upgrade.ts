import type { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit/errors';
import type { DaemonCall, DockerClient } from '@wharf/wire/docker-client/client';
import { DaemonError } from '@wharf/wire/docker-client/errors';
import { UPGRADE_TIMEOUT_MS } from './limits.ts';

/** Asks for a connection that speaks HTTP/2 from then on. Throws `failed-precondition` where the daemon has no BuildKit. */
export async function upgrade(
  daemon: DockerClient,
  path: string,
  { signal, ...call }: Pick<DaemonCall, 'headers' | 'signal'>,
): Promise<Duplex> {
  const late = AbortSignal.timeout(UPGRADE_TIMEOUT_MS);
  const either = signal === undefined ? late : AbortSignal.any([signal, late]);
  try {
    const { stream } = await daemon.hijack('POST', path, {
      ...call,
      protocol: 'h2c',
      versioned: false,
      signal: either,
    });
    return stream;
  } catch (error) {
    const at = `Cannot build with the daemon at ${daemon.host}`;
    if (late.aborted && signal?.aborted !== true) throw new WharfError('unavailable', `${at}: it does not answer`);
    if (!(error instanceof DaemonError)) throw error;
    const said = `it answered ${path} with status ${error.status}${error.daemonMessage === '' ? '' : `: ${error.daemonMessage}`}`;
    throw new WharfError('failed-precondition', `${at}: ${error.status === 404 ? 'it has no BuildKit' : said}`);
  }
}
