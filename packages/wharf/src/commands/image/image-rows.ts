import { familiarName, tryParseReference } from '@wharf/kit/reference';
import { goTimeFromUnix } from '../../term/go-time.ts';
import type { RowKind } from '../../term/rows.ts';
import { shortId } from '../../term/short-text.ts';
import { humanSize, since } from '../../term/units.ts';

/** An image as `GET /images/json` has it. */
export interface ImageSummary {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** One line of the list: an image by one of its names. */
export interface ImageRow {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const NONE = '<none>';

/** Docker's template for a source of `--format`. */
export function imageFormat(source: string, { quiet, digests }: { quiet: boolean; digests: boolean }): string {
  if (source === 'table') {
    if (quiet) return '{{.ID}}';
    return `table {{.Repository}}\\t{{.Tag}}\\t${digests ? '{{.Digest}}\\t' : ''}{{.ID}}\\t${CREATED}\\t{{.Size}}`;
  }
  if (source === 'raw') {
    if (quiet) return 'image_id: {{.ID}}';
    const digest = digests ? 'digest: {{.Digest}}\n' : '';
    return `repository: {{ .Repository }}\ntag: {{.Tag}}\n${digest}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`;
  }
  const isTable = source.startsWith('table');
  return isTable && digests && !source.includes('{{.Digest}}') ? `${source}\t{{.Digest}}` : source;
}

/** Docker's template says `{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}`; the time is always there. */
const CREATED = '{{.CreatedSince}}';

/** The columns of a list of images. */
export function imageRows(trunc: boolean): RowKind<ImageRow> {
  const size = (bytes: number): string => (bytes === -1 ? 'N/A' : humanSize(bytes));
  return {
    goType: '*formatter.imageContext',
    columns: {
      ID: { header: 'IMAGE ID', value: ({ image: { Id } }) => (trunc ? shortId(Id) : Id), rank: 1 },
      Repository: { header: 'REPOSITORY', value: ({ repository }) => repository, least: 16, paint: paintName },
      Tag: { header: 'TAG', value: ({ tag }) => tag, least: 8, paint: paintName },
      Digest: { header: 'DIGEST', value: ({ digest }) => digest, least: 19, rank: 3 },
      CreatedSince: { header: 'CREATED', value: ({ image: { Created } }) => since(Created), rank: 2 },
      CreatedAt: { header: 'CREATED AT', value: ({ image: { Created } }) => goTimeFromUnix(Created) },
      Size: { header: 'SIZE', value: ({ image: { Size } }) => humanSize(Size, 3) },
      Containers: {
        header: 'CONTAINERS',
        value: ({ image: { Containers } }) => (Containers === -1 ? 'N/A' : String(Containers)),
      },
      VirtualSize: { header: 'SIZE', value: ({ image: { Size } }) => humanSize(Size) },
      SharedSize: { header: 'SHARED SIZE', value: ({ image: { SharedSize } }) => size(SharedSize) },
      UniqueSize: {
        header: 'UNIQUE SIZE',
        value: ({ image: { Size, SharedSize } }) =>
          Size === -1 || SharedSize === -1 ? 'N/A' : size(Size - SharedSize),
      },
    },
  };
}

function paintName(
  text: string,
  _row: ImageRow,
  style: { readonly bold: (text: string) => string; readonly faint: (text: string) => string },
): string {
  return text === NONE ? style.faint(text) : style.bold(text);
}

/** True for an image that nothing names. */
export function isDangling({ RepoTags, RepoDigests }: ImageSummary): boolean {
  const [tags, digests] = [RepoTags ?? [], RepoDigests ?? []];
  if (tags.length === 0 && digests.length === 0) return true;
  return tags.length === 1 && tags[0] === '<none>:<none>' && digests.length === 1 && digests[0] === '<none>@<none>';
}

/**
 * The lines of an image: one for each tag, with each digest of the repository where digests are shown, and one for a repository that
 * only a digest names.
 */
export function linesOf(
  image: ImageSummary,
  show: { readonly digests: boolean; readonly format: string },
): readonly ImageRow[] {
  if (isDangling(image)) return [{ image, repository: NONE, tag: NONE, digest: NONE }];
  const tags = byRepository(image.RepoTags, (reference) => reference.tag);
  const digests = byRepository(image.RepoDigests, (reference) => reference.digest);
  const needsDigest = show.digests || show.format.includes('{{.Digest}}');
  const rows: ImageRow[] = [];
  for (const [repository, ofRepository] of tags) {
    const shown = needsDigest ? (digests.get(repository) ?? []) : [];
    digests.delete(repository);
    for (const tag of ofRepository) {
      for (const digest of shown.length === 0 ? [NONE] : shown) rows.push({ image, repository, tag, digest });
    }
  }
  for (const [repository, ofRepository] of digests) {
    for (const digest of show.digests ? ofRepository : ['']) rows.push({ image, repository, tag: NONE, digest });
  }
  return rows;
}

type Parsed = NonNullable<ReturnType<typeof tryParseReference>>;

function byRepository(
  names: readonly string[] | null | undefined,
  part: (reference: Parsed) => string | undefined,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names ?? []) {
    const reference = tryParseReference(name);
    const text = reference === undefined ? undefined : part(reference);
    if (reference === undefined || text === undefined) continue;
    const repository = familiarName(reference);
    found.set(repository, [...(found.get(repository) ?? []), text]);
  }
  return found;
}
