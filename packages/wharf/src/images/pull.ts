import { WharfError } from '@wharf/kit/errors';
import { canonicalName, formatFamiliar, parseReference, type Reference, withDefaultTag } from '@wharf/kit/reference';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Output } from '../cli/output.ts';
import { DockerConfig } from '../client-config/docker-config.ts';
import { type ProgressMessage, withLoginHint } from './progress/message.ts';
import { showTransfer } from './progress/show-transfer.ts';

interface PullOrder {
  readonly daemon: DockerClient;
  readonly reference: Reference;
  /** All tags of the repository. */
  readonly allTags?: boolean;
  readonly platform?: string | undefined;
  readonly quiet?: boolean;
  readonly out: Output;
  readonly signal?: AbortSignal;
}

/** Has the daemon pull an image with the login that is stored for its registry, and shows it. Throws what the registry says. */
export async function pullImage(order: PullOrder): Promise<void> {
  const { daemon, reference, allTags = false, platform, quiet = false, out, signal } = order;
  const named = allTags ? reference : withDefaultTag(reference);
  const messages = daemon.messages<ProgressMessage>('POST', '/images/create', {
    query: {
      fromImage: canonicalName(reference),
      ...(allTags ? {} : { tag: named.digest ?? named.tag }),
      ...(platform ? { platform: platform.toLowerCase() } : {}),
    },
    headers: { 'X-Registry-Auth': await new DockerConfig().registryAuth(reference.domain) },
    signal,
  });
  try {
    await showTransfer(messages, { name: formatFamiliar(named), out, quiet });
  } catch (error) {
    throw withLoginHint(error, reference.domain);
  }
}

/** A name as docker's `pull` and `push` read it: the default tag is said aloud. Throws docker's words. */
export function transferReference(
  text: string,
  { allTags, quiet, out }: { readonly allTags: boolean; readonly quiet: boolean; readonly out: Output },
): Reference {
  const reference = parseReference(text);
  const isBare = reference.tag === undefined && reference.digest === undefined;
  if (allTags && !isBare) throw new WharfError('invalid-argument', "tag can't be used with --all-tags/-a");
  if (allTags || !isBare) return reference;
  const named = withDefaultTag(reference);
  if (!quiet && !out.isTerminal) out.line(`Using default tag: ${named.tag}`);
  return named;
}
