import { WharfError } from '@wharf/kit';
import { networkError } from '@wharf/wire/http/network-error';
import type { ApiRequest } from '@wharf/wire/http/route';

/** What an import reads: the request's body for `-`, else what a URL gives (http:// when it names no scheme). */
export async function openSource(
  source: string,
  request: ApiRequest,
): Promise<{ readonly stream: AsyncIterable<Uint8Array>; readonly status: string | undefined }> {
  if (source === '-') return { stream: request.body, status: undefined };
  const url = parseUrl(source.includes('://') ? source : `http://${source}`);
  const answer = await fetch(url, { signal: request.signal }).catch((cause: unknown) => {
    throw networkError('GET', url, cause instanceof Error ? (cause.cause ?? cause) : cause);
  });
  if (answer.status >= 400) {
    await answer.body?.cancel();
    const kind = answer.status === 404 ? 'not-found' : 'unavailable';
    throw new WharfError(kind, `failed to GET ${url.href} with status ${answer.status} ${answer.statusText}`);
  }
  if (answer.body === null) throw new WharfError('unavailable', `failed to GET ${url.href}: the answer has no body`);
  return { stream: answer.body, status: `Downloading from ${url.href}` };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new WharfError('invalid-argument', `Cannot import from "${text}": it is not an http or https URL`);
  }
  return url;
}
