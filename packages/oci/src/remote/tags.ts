import { WharfError } from '@wharf/kit';
import { readReply } from '@wharf/wire/http/read-reply';
import { TAG_PAGES, TAGS, TAGS_BYTES } from './limits.ts';
import type { RemoteRepository } from './repository.ts';

/** All tags of a repository, page after page (distribution-spec, "Listing Tags"). */
export async function listTags(repository: RemoteRepository, signal?: AbortSignal): Promise<readonly string[]> {
  const tags: string[] = [];
  let next: string | URL | undefined = 'tags/list';
  for (let page = 0; next !== undefined && page < TAG_PAGES; page += 1) {
    const to: string | URL = next;
    next = await repository.firstOf('resolve', { method: 'GET', to, signal }, async (answer) => {
      const bytes = await readReply(answer.body, TAGS_BYTES);
      tags.push(...readTags(bytes.toString('utf8')));
      return nextPage(answer.headers.link, answer.url);
    });
    if (tags.length > TAGS) throw new WharfError('resource-exhausted', `the repository has more than ${TAGS} tags`);
  }
  return tags;
}

function readTags(text: string): readonly string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new WharfError('unavailable', 'the registry answered with something that is not JSON', { cause });
  }
  const tags = typeof parsed === 'object' && parsed !== null && 'tags' in parsed ? parsed.tags : undefined;
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
}

/** Where `Link: <…>; rel="next"` leads; on the same server only. */
export function nextPage(header: string | string[] | undefined, from: URL): URL | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(String(header ?? ''))?.[1];
  const url = target === undefined ? null : URL.parse(target, from.href);
  return url === null || url.host !== from.host ? undefined : url;
}
