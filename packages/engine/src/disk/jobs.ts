import { walkParts } from './walk.ts';

/** Measures the parts of a data root. */
export async function walkJob({ root }: { readonly root: string }): Promise<Record<string, number>> {
  return walkParts(root);
}
