import { familiarName, parseReference, type Reference, WharfError } from '@wharf/kit';
import { parsePlatform } from '@wharf/oci/spec/platform';
import type { ApiRequest, ApiResponse, ResponseStream } from '@wharf/wire/http/route';
import type { Images } from '../images/images.ts';
import type { TransferOptions } from '../images/pull.ts';
import { TransferOutput } from '../images/transfer-output.ts';
import { platformOf, pullReference, repoTagReference } from './image-parameters.ts';
import { streamError } from './image-streams.ts';
import { credentialsOf, metaHeadersOf } from './registry-headers.ts';

/** `POST /images/create?fromImage=…`. Errors before the first line of progress are answered as such, later ones are the last line. */
export async function pullRoute(images: Images, request: ApiRequest, response: ApiResponse): Promise<void> {
  const { query } = request;
  const reference = pullReference(query.get('fromImage') ?? '', query.get('tag') ?? '');
  refuseReserved(reference);
  const text = request.atLeast(32) ? (query.get('platform') ?? '') : '';
  const platform = text === '' ? undefined : parsePlatform(text);
  await transfer(request, response, (options) => images.pull({ ...options, reference, platform }));
}

/** `POST /images/{name}/push`. Without a tag all of the repository's tags are pushed. */
export async function pushRoute(
  images: Images,
  name: string,
  request: ApiRequest,
  response: ApiResponse,
): Promise<void> {
  const tag = request.query.get('tag') ?? '';
  const reference = tag === '' ? parseReference(name) : repoTagReference(name, tag);
  if (reference === undefined)
    throw new WharfError('invalid-argument', 'repository name must have at least one component');
  const platform = platformOf(request, 46);
  await transfer(request, response, (options) => images.push({ ...options, reference, platform }));
}

function refuseReserved(reference: Reference): void {
  if (familiarName(reference) === 'scratch') throw new WharfError('permission-denied', "'scratch' is a reserved name");
}

async function transfer(
  request: ApiRequest,
  response: ApiResponse,
  work: (options: Omit<TransferOptions, 'reference' | 'platform'>) => Promise<void>,
): Promise<void> {
  let stream: ResponseStream | undefined;
  // The status line goes out with the first line of progress: until then an error has a status of its own.
  const write = (document: object): Promise<void> => {
    stream ??= response.stream(200, 'application/json');
    return stream.json(document);
  };
  const output = new TransferOutput(write, { withBar: !request.atLeast(52) });
  try {
    await work({
      credentials: credentialsOf(request),
      metaHeaders: metaHeadersOf(request),
      output,
      signal: request.signal,
    });
  } catch (error) {
    if (stream === undefined) throw error;
    await stream.json(streamError(error)).catch(() => undefined);
  }
  stream?.end();
}
