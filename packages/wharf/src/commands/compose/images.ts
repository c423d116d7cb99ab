import { PROJECT, SERVICE } from '@wharf/compose/convert/labels';
import { DEFAULT_TAG, familiarName, tryParseReference } from '@wharf/kit/reference';
import type { ContainerSummary, ImageInspect } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { shortId } from '../../term/short-text.ts';
import { humanSize, since } from '../../term/units.ts';
import { labelOf, nameOf, set } from './containers.ts';
import { printSection } from './sections.ts';
import { ComposeSession } from './session.ts';

interface UsedImage {
  readonly ID: string;
  readonly ContainerName: string;
  readonly Repository: string;
  readonly Tag: string;
  readonly Platform: string;
  readonly Size: number;
  readonly LastTagTime: string;
}

const HEADERS = ['CONTAINER', 'REPOSITORY', 'TAG', 'PLATFORM', 'IMAGE ID', 'SIZE', 'CREATED'];

export const images = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  json: true,
  flags: {
    format: {
      kind: 'string',
      default: 'table',
      help: 'Format the output. Values: [table | json]',
      complete: ['table', 'json'],
    },
    quiet: { kind: 'bool', short: 'q', help: 'Only display IDs' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose images'],
  run: async (context) => {
    const { format, quiet } = context.flags;
    const session = new ComposeSession(context);
    const project = await session.projectName();
    const client = await session.client();
    const found = await client.json<readonly ContainerSummary[]>('GET', '/containers/json', {
      query: { all: 1, filters: { label: set([`${PROJECT}=${project}`]) } },
      signal: session.signal,
    });
    const containers = found.filter(
      (each) => context.args.length === 0 || context.args.includes(labelOf(each, SERVICE)),
    );
    const used = (await Promise.all(containers.map((each) => imageOf(client, each, session.signal)))).toSorted(
      (left, right) => (left.ContainerName < right.ContainerName ? -1 : 1),
    );
    if (quiet) {
      const ids = new Set(used.map(({ ID }) => ID.slice(ID.indexOf(':') + 1)));
      return context.out.write([...ids].map((id) => `${id}\n`).join(''));
    }
    const isJson = context.json || format === 'json';
    printSection(context.out, isJson ? 'json' : format, { headers: HEADERS, rows: used.map(rowOf), json: used });
    // Docker compose ends its JSON with an empty line.
    if (isJson && !context.json) context.out.write('\n');
  },
});

function rowOf({ ContainerName, Repository, Tag, Platform, ID, Size, LastTagTime }: UsedImage): readonly string[] {
  return [
    ...[ContainerName, Repository || '<none>', Tag || '<none>', Platform, shortId(ID)],
    ...[humanSize(Size, 3), since(Date.parse(LastTagTime) / 1000)],
  ];
}

async function imageOf(client: DockerClient, container: ContainerSummary, signal: AbortSignal): Promise<UsedImage> {
  const image = await client.json<ImageInspect>('GET', `/images/${encodeURI(container.Image)}/json`, { signal });
  const { repository, tag } = nameAndTag(container.Image);
  const { Architecture, Os, Variant } = image;
  return {
    ID: image.Id,
    ContainerName: nameOf(container),
    Repository: repository,
    Tag: tag,
    Platform: [Os, Architecture, Variant].filter(Boolean).join('/'),
    Size: image.Size,
    LastTagTime: lastTagged(image),
  };
}

/** When it was tagged here, where somebody knows; else when it was made. */
function lastTagged({ Metadata, Created }: ImageInspect): string {
  const tagged = Metadata.LastTagTime;
  return tagged === undefined || tagged.startsWith('0001-') ? (Created ?? '') : tagged;
}

/** An id has neither. */
function nameAndTag(name: string): { readonly repository: string; readonly tag: string } {
  const reference = /^(?:sha256:)?[0-9a-f]{64}$/.test(name) ? undefined : tryParseReference(name);
  if (reference === undefined) return { repository: '', tag: '' };
  const { tag = reference.digest === undefined ? DEFAULT_TAG : '' } = reference;
  return { repository: familiarName(reference), tag };
}
