import type { RunInstruction } from '../dockerfile/instructions/types.ts';
import { DockerfileError } from '../dockerfile/location.ts';

/** Throws a DockerfileError when a RUN asks for more than the build is allowed (BuildKit, `util/entitlements`). */
export function checkEntitlements(run: RunInstruction, allowed: ReadonlySet<string>): void {
  if (run.network === 'host' && !allowed.has('network.host')) throw new DockerfileError('network.host is not allowed');
  if (run.security === 'insecure' && !allowed.has('security.insecure')) {
    throw new DockerfileError('security.insecure is not allowed');
  }
  for (const device of run.devices) {
    const [name = '', ...options] = device.split(',');
    // No device has a name here; one that a step can do without is left out.
    if (options.includes('required'))
      throw new DockerfileError(`required device ${JSON.stringify(name)} is not registered`);
  }
}
