import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '@wharf/kit';
import { parsePlatform } from '@wharf/oci/spec/platform';
import type { ApiRequest, ApiResponse, ResponseStream } from '@wharf/wire/http/route';
import type { ImageService } from '../images/image-service.ts';
import type { Images } from '../images/images.ts';
import { openSource } from '../images/import-source.ts';
import { loadedMessage } from '../images/load.ts';
import { platformsOf, repoTagReference } from './image-parameters.ts';

/** How often a blob's progress is told. */
const PROGRESS_INTERVAL_MS = 200;

type LoadProgress = { readonly id: string; readonly currentBytes: number; readonly totalBytes: number };

/** Docker's form of an error within a progress stream. */
export function streamError(error: unknown): object {
  const message = messageOf(error);
  return { errorDetail: { message }, error: message };
}

/** `POST /images/load`: progress documents, the last of which name the images; an error is the last document. */
export async function loadRoute(images: Images, request: ApiRequest, response: ApiResponse): Promise<void> {
  const platforms = platformsOf(request);
  const quiet = request.query.bool('quiet', true);
  const output = response.stream(200, 'application/json');
  try {
    const loaded = await images.load({
      source: request.body,
      platforms,
      ...(quiet ? {} : { onProgress: throttled(output) }),
    });
    for (const image of loaded) await output.json({ stream: `${loadedMessage(image)}\n` });
  } catch (error) {
    // What is left of a body that nobody reads would hold the connection up.
    request.body.resume();
    await output.json(streamError(error));
  }
  output.end();
}

function throttled(output: ResponseStream): (progress: LoadProgress) => void {
  let toldAt = 0;
  return ({ id, currentBytes, totalBytes }) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_INTERVAL_MS && currentBytes < totalBytes) return;
    // Small members would only make the display flicker.
    if (totalBytes < 1024 * 1024) return;
    toldAt = now;
    const document = { status: 'Loading layer', progressDetail: { current: currentBytes, total: totalBytes }, id };
    output.json(document).catch(() => undefined);
  };
}

/** `GET /images/get` and `GET /images/{name}/get`. Errors found before the first byte are answered as such. */
export async function saveRoute(
  images: Images,
  names: readonly string[],
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  const archive = await images.save({ names, platforms: platformsOf(request) });
  const output = response.stream(200, 'application/x-tar');
  await pipeline(Readable.from(archive, { objectMode: false, highWaterMark: 1024 * 1024 }), output.writable, {
    signal: request.signal,
  });
}

/** `POST /images/create` with `fromSrc`: import. */
export async function importRoute(
  images: Images & ImageService,
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  const { query } = request;
  const platformText = request.atLeast(32) ? (query.get('platform') ?? '') : '';
  const platform = platformText === '' ? undefined : parsePlatform(platformText);
  const source = query.get('fromSrc') ?? '';
  const reference = repoTagReference(query.get('repo') ?? '', query.get('tag') ?? '');
  const { stream, status } = await openSource(source, request);
  const id = await images.import({
    source: stream,
    reference,
    message: query.get('message') || `Imported from ${source}`,
    changes: query.getAll('changes'),
    platform,
  });
  const output = response.stream(200, 'application/json');
  if (status !== undefined) await output.json({ status });
  await output.json({ status: id });
  output.end();
}
