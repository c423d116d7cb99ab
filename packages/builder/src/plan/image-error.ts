import { formatCanonical, messageOf, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import { didYouMean } from '../dockerfile/suggest.ts';

/** Images that many files begin with. */
const COMMON = ['alpine', 'busybox', 'centos', 'debian', 'fedora', 'golang', 'node', 'python', 'ubuntu'];

/** An image that cannot be had, in BuildKit's words; a stage or a common image of nearly that name may be what was meant. */
export function imageError(reference: string, error: unknown, names: readonly string[]): WharfError {
  const kind = error instanceof WharfError ? error.kind : 'unavailable';
  const full = formatCanonical(withDefaultTag(parseReference(reference)));
  const known = [...names, ...COMMON.flatMap((name) => [name, `${name}:latest`])];
  const message = `${reference}: failed to resolve source metadata for ${full}: ${messageOf(error)}`;
  return new WharfError(kind, message + didYouMean(reference, known), { cause: error });
}
