import { formatCanonical, parseReference, withDefaultTag } from '@wharf/kit';

/** The whole name of an image, `docker.io/library/busybox:latest`; what cannot be read stays as it is. */
export function canonicalName(reference: string): string {
  try {
    return formatCanonical(withDefaultTag(parseReference(reference)));
  } catch {
    return reference;
  }
}
