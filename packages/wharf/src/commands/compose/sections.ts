import { ExitError } from '../../cli/errors.ts';
import type { Output } from '../../cli/output.ts';
import { alignTabs } from '../../term/tab-columns.ts';
import { goQuote } from './containers.ts';

/** The columns of docker compose's own tables. */
const COLUMNS = { leastWidth: 20, padding: 3 };

/** A list in one of the two formats that docker compose has for those without templates. Throws ExitError for another. */
export function printSection(
  out: Pick<Output, 'write'>,
  format: string,
  list: { readonly headers: readonly string[]; readonly rows: readonly (readonly string[])[]; readonly json: unknown },
): void {
  switch (format.toLowerCase()) {
    case 'table':
    case 'pretty':
    case '':
      out.write(alignTabs([list.headers, ...list.rows].map((cells) => `${cells.join('\t')}\n`).join(''), COLUMNS));
      return;
    case 'json':
      out.write(`${plainJson(list.json)}\n`);
      return;
    default:
      throw new ExitError(
        1,
        `format value ${goQuote(format)} could not be parsed: parsing failed`,
        'There are table and json.',
      );
  }
}

export function plainJson(value: unknown): string {
  return JSON.stringify(value);
}
