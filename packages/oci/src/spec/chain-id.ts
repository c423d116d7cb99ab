import { createHash } from 'node:crypto';
import type { ChainId, DiffId } from '@wharf/kit';

/**
 * The chain ids of a stack of layers, bottom first: `chainIds(d)[i]` names layer `i` with everything below it
 * (OCI image-spec, config.md, "Layer ChainID").
 */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chain: ChainId[] = [];
  let parent = '';
  for (const diffId of diffIds) {
    const next: string =
      parent === '' ? diffId : `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`;
    chain.push(next as ChainId);
    parent = next;
  }
  return chain;
}

/** The chain id of the whole stack, `''` for no layers. */
export function chainIdOf(diffIds: readonly DiffId[]): ChainId | '' {
  return chainIds(diffIds).at(-1) ?? '';
}
