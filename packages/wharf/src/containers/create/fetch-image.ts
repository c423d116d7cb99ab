import { WharfError } from '@wharf/kit/errors';
import { canonicalName, DEFAULT_TAG, parseReference } from '@wharf/kit/reference';
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

interface PullMessage {
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** Pulls an image and says how far it is on standard error. */
export async function fetchImage({ client, image, platform, quiet, err, signal }: Fetch): Promise<void> {
  const reference = parseReference(image);
  const query = {
    fromImage: canonicalName(reference),
    tag: reference.digest ?? reference.tag ?? DEFAULT_TAG,
    platform,
  };
  for await (const message of client.messages<PullMessage>('POST', '/images/create', { query, signal })) {
    const failure = message.errorDetail?.message ?? message.error;
    if (failure !== undefined) throw new WharfError('unavailable', failure);
    if (!quiet && message.status !== undefined) {
      err.line(message.id === undefined ? message.status : `${message.id}: ${message.status}`);
    }
  }
}
