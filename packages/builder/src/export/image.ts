import { formatCanonical, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import type { CredentialsSource } from '../interfaces.ts';
import type { Exporter } from '../result.ts';
import { type Attributes, flag } from './attributes.ts';
import { imageFormat } from './image-format.ts';
import { type WrittenImage, writeImage } from './write-image.ts';

/**
 * Stores an image on this host, and pushes it when asked to (BuildKit, "Image output"; `registry` is the same with `push`). Throws
 * `invalid-argument` for attributes that make no sense, before anything runs.
 */
export function imageExporter(attributes: Attributes, credentials?: CredentialsSource): Exporter {
  const push = flag(attributes, 'push', false);
  const isStored = flag(attributes, 'store', true);
  const options = {
    byDigest: flag(attributes, 'push-by-digest', false),
    insecure: flag(attributes, 'registry.insecure', false),
  };
  const isCanonical = flag(attributes, 'name-canonical', false);
  // What a registry is sent is compressed: then the image here is the one there.
  const format = imageFormat(attributes, {
    inlineAttestations: true,
    ...(push ? { compression: 'gzip' as const } : {}),
  });
  const names = format.names.map((name) => canonical(name));
  if (push && names.length === 0) throw new WharfError('invalid-argument', 'tag is needed when pushing to registry');
  const prefix = attributes['dangling-name-prefix'];
  return (result, tools) =>
    tools.step('exporting to image', async (part) => {
      const written = await writeImage(result, tools, format, part);
      const { target } = written;
      const given = [...names, ...(isCanonical ? names.map((name) => withDigest(name, target)) : [])];
      if (prefix !== undefined && prefix !== '' && names.length === 0)
        given.push(withDigest(canonical(prefix), target));
      if (isStored) {
        for (const name of given.length === 0 ? [undefined] : given) {
          const title = name === undefined ? `naming to moby-dangling@${target.digest}` : `naming to ${name}`;
          await part(title, () => tools.images.name(target, name === undefined ? [] : [name]));
        }
      }
      if (push) {
        for (const name of names) {
          const { signal, images } = tools;
          const work = () => images.push(target, name, { ...options, credentials, signal });
          await part(`pushing ${name}`, work).catch((error: unknown) => {
            if (error instanceof Error) error.message = `failed to push ${name}: ${error.message}`;
            throw error;
          });
        }
      }
      // buildx would take the configuration's digest for the image's id, which here is the manifest's.
      const { 'containerimage.config.digest': config, ...response } = responseOf(written);
      const told =
        isStored || config === undefined ? response : { ...response, 'containerimage.config.digest': config };
      return { ...told, ...(names.length === 0 ? {} : { 'image.name': names.join(',') }) };
    });
}

/** What a client is told of an image (BuildKit, exptypes). */
export function responseOf({ target, configDigest, platform }: WrittenImage): Readonly<Record<string, string>> {
  const descriptor = platform === undefined ? target : { ...target, platform };
  return {
    'containerimage.digest': target.digest,
    ...(configDigest === undefined ? {} : { 'containerimage.config.digest': configDigest }),
    'containerimage.descriptor': Buffer.from(JSON.stringify(descriptor)).toString('base64'),
  };
}

function canonical(name: string): string {
  const reference = parseReference(name);
  if (reference.digest !== undefined) throw new WharfError('invalid-argument', 'build tag cannot contain a digest');
  return formatCanonical(withDefaultTag(reference));
}

function withDigest(name: string, { digest }: Descriptor): string {
  return `${name}@${digest}`;
}
