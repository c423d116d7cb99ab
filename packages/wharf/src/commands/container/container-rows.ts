import { quote } from '@wharf/kit/go-template/quote';
import { pointerTo, type StructType, stringType } from '@wharf/kit/go-template/types';
import { formatFamiliar, tryParseReference } from '@wharf/kit/reference';
import { goTimeFromUnix } from '../../term/go-time.ts';
import type { RowKind } from '../../term/rows.ts';
import { ellipsis, shortId } from '../../term/short-text.ts';
import type { Style } from '../../term/style.ts';
import { humanSize, since } from '../../term/units.ts';
import { type PublishedPort, portsText, shortPortsText } from './ports-text.ts';

/** A container as `GET /containers/json` has it. */
export interface ContainerSummary {
  readonly Id?: string;
  readonly Names?: readonly string[] | null;
  readonly Image?: string;
  readonly ImageID?: string;
  readonly Command?: string;
  readonly Created?: number;
  readonly Ports?: readonly PublishedPort[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly State?: string;
  readonly Status?: string;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null;
  readonly Mounts?: readonly { readonly Name?: string; readonly Source?: string; readonly Driver?: string }[] | null;
  readonly ImageManifestDescriptor?: { readonly platform?: Platform | null } | null;
}

interface Platform {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
}

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

/** Docker's template for a source of `--format`: `table`, `raw`, a template of the user's, or none. */
export function containerFormat(source: string, { quiet, size }: { quiet: boolean; size: boolean }): string {
  if (source === 'raw') return rawFormat(quiet, size);
  if (quiet) return '{{.ID}}';
  if (source !== '' && source !== 'table') return source;
  return `${TABLE}${size ? '\\t{{.Size}}' : ''}`;
}

const TABLE = 'table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t{{.Names}}';

function rawFormat(quiet: boolean, size: boolean): string {
  if (quiet) return 'container_id: {{.ID}}';
  const lines = [
    ...['container_id: {{.ID}}', 'image: {{.Image}}', 'command: {{.Command}}', 'created_at: {{.CreatedAt}}'],
    ...['state: {{- pad .State 1 0}}', 'status: {{- pad .Status 1 0}}', 'names: {{.Names}}'],
    ...['labels: {{- pad .Labels 1 0}}', 'ports: {{- pad .Ports 1 0}}', ...(size ? ['size: {{.Size}}'] : [])],
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** The columns of a list of containers; `trunc` shortens ids, names, commands and mounts. */
export function containerRows(trunc: boolean): RowKind<ContainerSummary> {
  const cut = (text: string, width: number): string => (trunc ? ellipsis(text, width) : text);
  const mounts = ({ Mounts }: ContainerSummary): readonly string[] =>
    (Mounts ?? []).map(({ Name, Source = '' }) => cut(Name || Source, MOUNT_WIDTH));
  return {
    goType: '*formatter.ContainerContext',
    label: ({ Labels }, name) => (Labels && Object.hasOwn(Labels, name) ? (Labels[name] ?? '') : ''),
    columns: {
      ID: { header: 'CONTAINER ID', value: ({ Id = '' }) => (trunc ? shortId(Id) : Id), rank: 1 },
      Names: {
        header: 'NAMES',
        value: (row) => namesText(row, trunc),
        least: 8,
        paint: (text, _row, { bold }) => bold(text),
      },
      Image: { header: 'IMAGE', value: (row) => imageText(row, trunc), least: 12, rank: 2 },
      Command: {
        header: 'COMMAND',
        value: ({ Command = '' }) => quote(cut(Command, COMMAND_WIDTH)),
        least: 9,
        rank: 4,
      },
      CreatedAt: { header: 'CREATED AT', value: ({ Created = 0 }) => goTimeFromUnix(Created) },
      RunningFor: { header: 'CREATED', value: ({ Created = 0 }) => since(Created), rank: 3 },
      Ports: {
        header: 'PORTS',
        value: ({ Ports }) => portsText(Ports ?? []),
        short: ({ Ports }) => shortPortsText(Ports ?? []),
        least: 10,
        rank: 1,
      },
      State: { header: 'STATE', value: ({ State = '' }) => State, paint: paintStatus },
      Status: { header: 'STATUS', value: ({ Status = '' }) => Status, paint: paintStatus },
      Size: { header: 'SIZE', value: sizeText },
      Labels: { header: 'LABELS', value: ({ Labels }) => labelsText(Labels) },
      Mounts: { header: 'MOUNTS', value: (row) => mounts(row).join(','), least: 8 },
      LocalVolumes: {
        header: 'LOCAL VOLUMES',
        value: ({ Mounts }) => String((Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
      },
      Networks: { header: 'NETWORKS', value: networksText },
      Platform: {
        header: 'PLATFORM',
        type: platformType,
        value: ({ ImageManifestDescriptor }) => sortedKeys(ImageManifestDescriptor?.platform),
      },
    },
  };
}

const platformStruct: StructType = {
  kind: 'struct',
  name: 'formatter.Platform',
  fields: [
    { name: 'Architecture', key: 'architecture', type: stringType },
    { name: 'OS', key: 'os', type: stringType },
    { name: 'OSVersion', key: 'os.version', type: stringType, omitEmpty: true },
    { name: 'Variant', key: 'variant', type: stringType, omitEmpty: true },
  ],
  methods: {
    String: {
      parameters: [],
      result: stringType,
      call: (data) => {
        const { os = '', architecture = '', variant = '' } = (data ?? {}) as Platform;
        return [os, architecture, variant].filter((part) => part !== '').join('/');
      },
    },
  },
};

/** Keys in the order of Go's structure, which is that of the alphabet. */
function sortedKeys(platform: Platform | null | undefined): Platform | null {
  if (!platform) return null;
  return Object.fromEntries(Object.entries(platform).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

const platformType = pointerTo(platformStruct);

/** Labels in docker's lists: `a=1,b=2`, sorted. */
export function labelsText(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
}

/** With `trunc` the container's own name only, without those by which others link to it. */
function namesText({ Names }: ContainerSummary, trunc: boolean): string {
  const names = (Names ?? []).map((name) => name.slice(1));
  const own = trunc ? names.find((name) => !name.includes('/')) : undefined;
  return own ?? names.join(',');
}

/** The image as it was asked for, without a digest; its id where it was asked for by that. */
function imageText({ Image = '', ImageID = '' }: ContainerSummary, trunc: boolean): string {
  if (Image === '') return '<no image>';
  if (!trunc) return Image;
  if (shortId(ImageID) === shortId(Image)) return shortId(ImageID);
  const reference = tryParseReference(Image);
  if (reference === undefined) return Image;
  const { digest: _digest, ...named } = reference;
  return formatFamiliar(named);
}

function sizeText({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, 3)})` : own;
}

function networksText({ NetworkSettings }: ContainerSummary): string {
  return Object.keys(NetworkSettings?.Networks ?? {})
    .sort()
    .join(',');
}

function paintStatus(text: string, { State = '', Status = '' }: ContainerSummary, style: Style): string {
  if (Status.includes('(unhealthy)') || State === 'dead' || /^Exited \((?!0\))/.test(Status)) return style.red(text);
  if (Status.includes('(health: starting)') || State === 'restarting' || State === 'paused') return style.yellow(text);
  if (State === 'running') return style.green(text);
  return style.faint(text);
}
