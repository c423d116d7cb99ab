import { parseReference } from '@wharf/kit/reference';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Output } from '../../cli/output.ts';

export interface Fetch {
  readonly client: DockerClient;
  readonly image: string;
  readonly platform: string | undefined;
  readonly quiet: boolean;
  readonly err: Output;
  readonly signal: AbortSignal;
}

/** Pulls an image and shows it on standard error: standard output is the container's. */
export async function fetchImage({ client, image, platform, quiet, err, signal }: Fetch): Promise<void> {
  const { pullImage } = await import('../../images/pull.ts');
  await pullImage({ daemon: client, reference: parseReference(image), platform, quiet, out: err, signal });
}
