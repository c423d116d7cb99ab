import { WharfError } from '@wharf/kit/errors';

/** `--disable-content-trust`, which docker has and which is on where DOCKER_CONTENT_TRUST does not say otherwise. */
export function trustFlag(help: string) {
  const isOff = !['1', 'true', 'TRUE', 'True', 't', 'T'].includes(process.env['DOCKER_CONTENT_TRUST'] ?? '');
  return { kind: 'bool', default: isOff, help } as const;
}

/** Signatures of Docker Content Trust are not checked here: who asks for them is told so, and gets nothing unchecked. */
export function withoutTrust(isDisabled: boolean): void {
  if (isDisabled) return;
  throw new WharfError('not-implemented', 'Docker Content Trust is not supported: its signatures cannot be checked', {
    hint: 'Name the image by its digest, or leave out DOCKER_CONTENT_TRUST and --disable-content-trust=false.',
  });
}
