import { registryError } from '../errors.ts';
import { isRepositoryName } from '../names.ts';
import type { Action } from '../plug/access.ts';
import { deleteBlob, getBlob } from '../routes/blobs.ts';
import type { RegistryContext } from '../routes/context.ts';
import { listRepositories, listTags } from '../routes/lists.ts';
import { deleteManifest, getManifest, putManifest } from '../routes/manifests.ts';
import { listReferrers } from '../routes/referrers.ts';
import { beginUpload, cancelUpload, finishUpload, patchUpload, uploadStatus } from '../routes/uploads.ts';
import type { Call } from './call.ts';
import type { Target } from './target.ts';

type Work = Promise<void> | undefined | void;

/** What a request does, and what its sender must be allowed for it. */
export interface Deed {
  readonly action: Action;
  readonly repository: string;
  /** For metrics and the access log. */
  readonly route: string;
  run(context: RegistryContext, call: Call): Work;
}

type Named = Exclude<Target, { kind: 'base' | 'catalog' | 'other' }>;

/** What a method means on a target; throws `NAME_INVALID` for a malformed name and `UNSUPPORTED` for a method that is not there. */
export function deedOf(method: string, target: Exclude<Target, { kind: 'other' }>): Deed {
  const reading = method === 'GET' || method === 'HEAD';
  if (target.kind === 'base' && reading)
    return { action: 'ping', repository: '', route: 'base', run: (_, call) => call.json(200, {}) };
  if (target.kind === 'catalog' && reading)
    return { action: 'catalog', repository: '', route: 'catalog', run: listRepositories };
  if (target.kind === 'base' || target.kind === 'catalog') throw unsupported();
  if (!isRepositoryName(target.repository)) {
    throw registryError('NAME_INVALID', 'invalid repository name', {
      detail: { name: target.repository.slice(0, 300) },
    });
  }
  const found = named(method, reading, target);
  if (found === undefined) throw unsupported();
  const [action, run] = found;
  return { action, repository: target.repository, route: target.kind, run };
}

function named(method: string, reading: boolean, target: Named): readonly [Action, Deed['run']] | undefined {
  const { repository } = target;
  if (target.kind === 'manifest') {
    const { reference } = target;
    if (reading) return ['pull', (context, call) => getManifest(context, call, repository, reference)];
    if (method === 'PUT') return ['push', (context, call) => putManifest(context, call, repository, reference)];
    if (method === 'DELETE') return ['delete', (context, call) => deleteManifest(context, call, repository, reference)];
  } else if (target.kind === 'blob') {
    const { digest } = target;
    if (reading) return ['pull', (context, call) => getBlob(context, call, repository, digest)];
    if (method === 'DELETE') return ['delete', (context, call) => deleteBlob(context, call, repository, digest)];
  } else if (target.kind === 'uploads') {
    if (method === 'POST') return ['push', (context, call) => beginUpload(context, call, repository)];
  } else if (target.kind === 'upload') return upload(method, reading, target);
  else if (target.kind === 'tags' && reading) return ['pull', (context, call) => listTags(context, call, repository)];
  else if (target.kind === 'referrers' && reading) {
    return ['pull', (context, call) => listReferrers(context, call, repository, target.digest)];
  }
  return undefined;
}

function upload(
  method: string,
  reading: boolean,
  { repository, id }: Extract<Target, { kind: 'upload' }>,
): readonly [Action, Deed['run']] | undefined {
  if (reading) return ['push', (context, call) => uploadStatus(context, call, repository, id)];
  if (method === 'PATCH') return ['push', (context, call) => patchUpload(context, call, repository, id)];
  if (method === 'PUT') return ['push', (context, call) => finishUpload(context, call, repository, id)];
  if (method === 'DELETE') return ['push', (context, call) => cancelUpload(context, call, repository, id)];
  return undefined;
}

function unsupported(): Error {
  return registryError('UNSUPPORTED', 'the operation is unsupported');
}
