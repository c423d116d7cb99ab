import { messageOf } from '@wharf/kit';
import { GRPC } from '@wharf/wire/grpc/status';
import type { BuildJob } from './job.ts';
import type { BridgeSolve } from './messages.ts';

const KNOWN_IMAGE = /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@]|$)/;

/** True for a build whose front end is the one here: by its own name, or by an image that is known to be the same. */
export function isOwnFrontend(name: string, attrs: Readonly<Record<string, string>>): boolean {
  return name === 'dockerfile.v0' || (name === 'gateway.v0' && KNOWN_IMAGE.test(attrs['source'] ?? ''));
}

/** Plays the part of a client that drives the build through the gateway. Returns what the exporters say. */
export async function drive(
  job: BuildJob,
  request: Pick<BridgeSolve, 'FrontendOpt' | 'FrontendInputs'>,
): Promise<Readonly<Record<string, string>>> {
  const ended = job.finished();
  ended.catch(() => undefined);
  try {
    job.return(await job.solve(request), undefined);
  } catch (error) {
    job.return(undefined, { code: GRPC.UNKNOWN, message: messageOf(error) });
  }
  return ended;
}
