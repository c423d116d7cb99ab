import { canonicalName, familiarName, formatCanonical, formatFamiliar, type Reference, WharfError } from '@wharf/kit';
import type { RegistryConnection } from '@wharf/oci/remote/connection';
import { pushBlob, pushDocument } from '@wharf/oci/remote/pusher';
import type { Registries } from '@wharf/oci/remote/registries';
import type { Descriptor } from '@wharf/oci/spec/image';
import { isIndexType } from '@wharf/oci/spec/media-types';
import { announceTransfer } from './announce.ts';
import { rememberSources } from './blob-sources.ts';
import type { Lease } from './collector.ts';
import { type ImageName, referenceOf } from './names.ts';
import type { TransferOptions } from './pull.ts';
import { compressForPush } from './push-compressed.ts';
import { pushError } from './push-errors.ts';
import { type PushPlan, partToPush, planPush } from './push-plan.ts';
import { PushProgress } from './push-progress.ts';
import type { ImageRoom } from './room.ts';

/** `docker push`: one name, or all of a repository. Throws with dockerd's words. */
export async function pushImages(room: ImageRoom, registries: Registries, options: TransferOptions): Promise<void> {
  const { reference, output } = options;
  output.message(`The push refers to repository [${canonicalName(reference)}]`);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    await pushOne(room, registries, options, reference);
    return;
  }
  const names = room.names.list().flatMap((image) => referenceOf(image) ?? []);
  const all = names.filter((each) => each.tag !== undefined && canonicalName(each) === canonicalName(reference));
  if (all.length === 0) {
    throw new WharfError('not-found', `An image does not exist locally with the tag: ${familiarName(reference)}`);
  }
  for (const each of all) await pushOne(room, registries, options, each);
}

async function pushOne(
  room: ImageRoom,
  registries: Registries,
  options: TransferOptions,
  reference: Reference,
): Promise<void> {
  const { output, platform, credentials, metaHeaders, signal } = options;
  const image = room.names.get(formatCanonical(reference));
  if (image === undefined) throw new WharfError('not-found', `tag does not exist: ${formatFamiliar(reference)}`);
  using lease = room.collector.lease();
  for (const { digest } of await room.documents.reachable(image.target)) lease.keep(digest);
  const chosen = await choosePlan(room, lease, { reference, image }, options);
  const { plan } = chosen;
  try {
    const repository = await registries.repository(reference, credentials, metaHeaders);
    await send({ room, registries, connection: repository.forPush(), plan, options, reference });
  } catch (error) {
    throw signal.aborted ? error : pushError(error);
  }
  const { target } = plan;
  if (reference.tag !== undefined) output.message(`${reference.tag}: digest: ${target.digest} size: ${target.size}`);
  const isWhole = chosen.target.digest === image.target.digest;
  if (!isWhole && platform === undefined) {
    output.aux({ manifestPushedInsteadOfIndex: true, originalIndex: image.target, selectedManifest: target });
  }
  if (isWhole) notePushed(room, image, target);
  await rememberSources(room, reference, target);
  await room.names.committed();
  const event = { id: formatFamiliar(reference), name: familiarName(reference) };
  await announceTransfer(room, 'push', image, event);
}

/** What the registry now has under this name, where that is not the image as it is here. */
function notePushed(room: ImageRoom, image: ImageName, pushed: Descriptor): void {
  room.names.transaction(() => {
    const now = room.names.get(image.name);
    // Somebody may have given the name away meanwhile.
    if (now === undefined || now.target.digest !== image.target.digest) return;
    const { pushed: _, ...plain } = now;
    if (pushed.digest !== image.target.digest) room.names.put({ ...plain, pushed });
    else if (now.pushed !== undefined) room.names.put(plain);
  });
}

interface Chosen {
  /** The image, or the part of it that was chosen. */
  readonly target: Descriptor;
  /** How it is sent, which may be in another form. */
  readonly plan: PushPlan;
}

/** The whole image when it is here, else the part of it that dockerd would push. */
async function choosePlan(
  room: ImageRoom,
  lease: Lease,
  { reference, image }: { readonly reference: Reference; readonly image: ImageName },
  { platform, output, signal }: TransferOptions,
): Promise<Chosen> {
  const planFor = async (target: Descriptor): Promise<Chosen> => {
    const sent = await compressForPush(room, lease, target, signal);
    // Blobs that were not asked for so far are made now.
    for (const { digest } of await room.documents.reachable(sent)) await lease.adopt(digest);
    return { target, plan: await planPush(room, reference, sent) };
  };
  const target = platform === undefined ? image.target : await partToPush(room, image, platform);
  let chosen = await planFor(target);
  if (chosen.plan.missing.length > 0 && platform === undefined && isIndexType(target.mediaType)) {
    const part = await partToPush(room, image, undefined);
    if (part.digest !== target.digest) chosen = await planFor(part);
  }
  const { plan } = chosen;
  const [missing] = plan.missing;
  if (missing === undefined) return chosen;
  output.aux({ contentMissing: true, desc: plan.target });
  throw new WharfError('not-found', `content digest ${missing.digest}: not found`);
}

/** Sends an image under a name's tag, or by its digest when the name has none. Throws with dockerd's words. */
export async function pushTarget(
  room: ImageRoom,
  registries: Registries,
  options: Omit<TransferOptions, 'platform'> & { readonly target: Descriptor; readonly insecure: boolean },
): Promise<void> {
  const { reference, credentials, metaHeaders, target, insecure, signal } = options;
  const plan = await planPush(room, reference, target);
  const [missing] = plan.missing;
  if (missing !== undefined) throw new WharfError('not-found', `content digest ${missing.digest}: not found`);
  try {
    const repository = await registries.repository(reference, credentials, metaHeaders, { insecure });
    await send({ room, registries, connection: repository.forPush(), plan, options, reference });
  } catch (error) {
    throw signal.aborted ? error : pushError(error);
  }
  await rememberSources(room, reference, target);
}

interface Sending {
  readonly room: ImageRoom;
  readonly registries: Registries;
  readonly connection: RegistryConnection;
  readonly plan: PushPlan;
  readonly options: TransferOptions;
  readonly reference: Reference;
}

/** Blobs side by side, then the documents that name them, from the inside out. */
async function send(sending: Sending): Promise<void> {
  const { room, registries, connection, plan, options, reference } = sending;
  using progress = new PushProgress(options.output);
  const abort = new AbortController();
  const signal = AbortSignal.any([options.signal, abort.signal]);
  for (const { descriptor } of plan.blobs) progress.list(descriptor);
  for (const descriptor of plan.foreign) progress.skipped(descriptor);
  const pushes = plan.blobs.map(({ descriptor, mountFrom }) =>
    registries.uploads.run(async () => {
      const { digest } = descriptor;
      const onProgress = (bytes: number): void => progress.sent(digest, bytes);
      const { content } = room;
      progress.done(digest, await pushBlob({ connection, content, descriptor, mountFrom, onProgress, signal }));
    }, signal),
  );
  try {
    await Promise.all(pushes);
  } catch (error) {
    abort.abort(error);
    await Promise.allSettled(pushes);
    throw error;
  }
  for (const descriptor of plan.documents) {
    const name = nameOf(descriptor, plan.target, reference);
    const bytes = await room.content.read(descriptor.digest);
    await pushDocument({ connection, descriptor, bytes, name, signal });
  }
}

/** The target goes under its tag; all others are found by digest. */
function nameOf(descriptor: Descriptor, target: Descriptor, { tag }: Reference): string {
  return descriptor.digest === target.digest && tag !== undefined ? tag : descriptor.digest;
}
