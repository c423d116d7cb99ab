import { defineCommand, exactly } from '../../cli/command.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import { DockerConfig } from '../../client-config/docker-config.ts';
import { printRows, type RowKind } from '../../term/rows.ts';
import { ellipsis } from '../../term/short-text.ts';

interface Found {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

const TABLE = 'table {{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}';
const MAX_DESCRIPTION = 45;

function kindOf({ isCut, isJson }: { readonly isCut: boolean; readonly isJson: boolean }): RowKind<Found> {
  const describe = ({ description }: Found): string => {
    const text = description.replaceAll(/[\r\n]/g, ' ');
    return isCut ? ellipsis(text, MAX_DESCRIPTION) : text;
  };
  const official = (is: boolean): string => (isJson ? String(is) : is ? '[OK]' : '');
  return {
    goType: '*registry.searchContext',
    columns: {
      Name: { header: 'NAME', value: ({ name }) => name },
      Description: { header: 'DESCRIPTION', value: describe },
      StarCount: { header: 'STARS', value: ({ star_count: stars }) => String(stars) },
      IsOfficial: { header: 'OFFICIAL', value: ({ is_official: is }) => official(is) },
    },
  };
}

/** `wharf search`: images of Docker's own registry, or of another that can be searched. */
export const search = defineCommand({
  usage: '[OPTIONS] TERM',
  description: 'Search Docker Hub for images',
  flags: {
    filter: filterFlag('Filter output based on conditions provided', 'f'),
    format: { kind: 'string', default: '', help: 'Pretty-print search using a Go template' },
    limit: { kind: 'int', default: 0, help: 'Max number of search results' },
    'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  },
  args: exactly(1),
  json: true,
  complete: ['none'],
  examples: ['wharf search --filter is-official=true nginx'],
  run: async (context) => {
    const { flags, out, err, json } = context;
    const [term = ''] = context.args;
    if (flags.filter.some((pair) => pair?.[0] === 'is-automated')) {
      err.line(
        'WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" will not yield any results in future.',
      );
    }
    const [first = ''] = term.split('/');
    const host = term.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
    const found = await (await context.client()).json<readonly Found[]>('GET', '/images/search', {
      query: { term, limit: flags.limit > 0 ? flags.limit : undefined, filters: filterQuery(flags.filter) },
      headers: { 'X-Registry-Auth': await new DockerConfig().registryAuth(host) },
    });
    const isJson = json || flags.format === 'json' || flags.format.includes('json .}}');
    await printRows(out, kindOf({ isCut: !flags['no-trunc'], isJson }), {
      rows: found,
      json,
      format: flags.format === '' || flags.format === 'table' ? TABLE : flags.format,
    });
  },
});
