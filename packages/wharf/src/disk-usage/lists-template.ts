import { GoTemplate } from '@wharf/kit/go-template/template';
import { pointerTo, type StructType, sliceOf } from '@wharf/kit/go-template/types';
import { GoValue } from '@wharf/kit/go-template/value';
import { explained, rowType } from '../term/row-template.ts';
import type { RowKind } from '../term/rows.ts';

interface List {
  readonly kind: RowKind<unknown>;
  readonly rows: readonly unknown[];
}

/** Several lists by one template of docker's `system df -v --format`; `json` is all of it. Throws TemplateError. */
export function formatLists(format: string, lists: Readonly<Record<string, List>>): string {
  const text = (format === 'json' ? '{{json .}}' : format).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const type: StructType = {
    kind: 'struct',
    name: 'formatter.diskUsageContext',
    fields: Object.entries(lists).map(([name, { kind }]) => ({
      name,
      key: name,
      type: sliceOf(pointerTo(rowType(kind))),
    })),
  };
  const data = Object.fromEntries(Object.entries(lists).map(([name, { rows }]) => [name, rows]));
  return explained(() => new GoTemplate(text).render(new GoValue(pointerTo(type), data)));
}
