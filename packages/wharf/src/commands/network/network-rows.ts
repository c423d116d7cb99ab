import { goTimeFromJson } from '../../term/go-time.ts';
import type { RowKind } from '../../term/rows.ts';
import { shortId } from '../../term/short-text.ts';
import { labelsText } from '../container/container-rows.ts';

/** A network as `GET /networks` has it. */
export interface NetworkSummary {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Created?: string;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6?: boolean;
  readonly Internal?: boolean;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

/** Docker's template for a source of `--format`. */
export function networkFormat(source: string, quiet: boolean): string {
  if (source === 'table') return quiet ? '{{.ID}}' : 'table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}';
  if (source !== 'raw') return source;
  return quiet
    ? 'network_id: {{.ID}}'
    : 'network_id: {{.ID}}\\nname: {{.Name}}\\ndriver: {{.Driver}}\\nscope: {{.Scope}}\\n';
}

/** The columns of a list of networks. */
export function networkRows(trunc: boolean): RowKind<NetworkSummary> {
  return {
    goType: '*network.networkContext',
    label: ({ Labels }, name) => (Labels && Object.hasOwn(Labels, name) ? (Labels[name] ?? '') : ''),
    columns: {
      ID: { header: 'NETWORK ID', value: ({ Id }) => (trunc ? shortId(Id) : Id) },
      Name: { header: 'NAME', value: ({ Name }) => Name, least: 12, paint: (text, _row, { bold }) => bold(text) },
      Driver: { header: 'DRIVER', value: ({ Driver }) => Driver },
      Scope: { header: 'SCOPE', value: ({ Scope }) => Scope },
      IPv4: { header: 'IPV4', value: ({ EnableIPv4 = false }) => String(EnableIPv4) },
      IPv6: { header: 'IPV6', value: ({ EnableIPv6 = false }) => String(EnableIPv6) },
      Internal: { header: 'INTERNAL', value: ({ Internal = false }) => String(Internal) },
      Labels: { header: 'LABELS', value: ({ Labels }) => labelsText(Labels) },
      CreatedAt: { header: 'CREATED AT', value: ({ Created = '' }) => goTimeFromJson(Created) },
    },
  };
}
