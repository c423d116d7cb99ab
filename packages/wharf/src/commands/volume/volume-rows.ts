import type { RowKind } from '../../term/rows.ts';
import { humanSize } from '../../term/units.ts';
import { labelsText } from '../container/container-rows.ts';

/** A volume as `GET /volumes` has it. */
export interface VolumeSummary {
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Mountpoint: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly UsageData?: { readonly RefCount: number; readonly Size: number } | null;
  readonly ClusterVolume?: ClusterVolume | null;
}

interface ClusterVolume {
  readonly Spec?: { readonly Group?: string; readonly Availability?: string };
  readonly Info?: { readonly VolumeID?: string } | null;
  readonly PublishStatus?: readonly unknown[] | null;
}

const UNKNOWN = 'N/A';

/** Docker's template for a source of `--format`. */
export function volumeFormat(source: string, quiet: boolean): string {
  if (source === 'table') return quiet ? '{{.Name}}' : 'table {{.Driver}}\\t{{.Name}}';
  if (source !== 'raw') return source;
  return quiet ? 'name: {{.Name}}' : 'name: {{.Name}}\\ndriver: {{.Driver}}\\n';
}

/** The columns of a list of volumes. */
export const volumeRows: RowKind<VolumeSummary> = {
  goType: '*formatter.volumeContext',
  label: ({ Labels }, name) => (Labels && Object.hasOwn(Labels, name) ? (Labels[name] ?? '') : ''),
  columns: {
    Name: { header: 'VOLUME NAME', value: ({ Name }) => Name, paint: (text, _row, { bold }) => bold(text), least: 12 },
    Group: {
      header: 'GROUP',
      value: ({ ClusterVolume }) => (ClusterVolume ? (ClusterVolume.Spec?.Group ?? '') : UNKNOWN),
    },
    Driver: { header: 'DRIVER', value: ({ Driver }) => Driver },
    Scope: { header: 'SCOPE', value: ({ Scope }) => Scope },
    Availability: {
      header: 'AVAILABILITY',
      value: ({ ClusterVolume }) => (ClusterVolume ? (ClusterVolume.Spec?.Availability ?? '') : UNKNOWN),
    },
    Mountpoint: { header: 'MOUNTPOINT', value: ({ Mountpoint }) => Mountpoint },
    Labels: { header: 'LABELS', value: ({ Labels }) => labelsText(Labels) },
    Links: { header: 'LINKS', value: ({ UsageData }) => (UsageData ? String(UsageData.RefCount) : UNKNOWN) },
    Size: { header: 'SIZE', value: ({ UsageData }) => (UsageData ? humanSize(UsageData.Size) : UNKNOWN) },
    Status: { header: 'STATUS', value: ({ ClusterVolume }) => statusText(ClusterVolume) },
  },
};

function statusText(volume: ClusterVolume | null | undefined): string {
  if (!volume) return UNKNOWN;
  if (!volume.Info?.VolumeID) return 'pending creation';
  const { length } = volume.PublishStatus ?? [];
  if (length === 0) return 'created';
  return `in use (${length} ${length === 1 ? 'node' : 'nodes'})`;
}
