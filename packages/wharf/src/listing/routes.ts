import { lazily } from '@wharf/kit';
import type { Route } from '@wharf/wire/http/route';

const listingModule = lazily(() => import('./listing.ts'));

/**
 * `GET /wharf/listing?line=ps&line=-a`: what that command prints, for `wharf ps` without the start of a Node (decision 0023). `columns` is
 * the width of the terminal, absent for what is none. 409 for a line that the command itself has to deal with.
 */
export function listingRoutes(host: () => string | undefined): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/wharf/listing',
      async handler({ query }, response) {
        const { listingText } = await listingModule();
        const text = await listingText(query.getAll('line'), { host: host(), columns: query.int('columns') });
        if (text === undefined) response.text(409, 'ask the command itself\n');
        else response.text(200, text);
      },
    },
  ];
}
