import { headerFunctions } from '@wharf/kit/go-template/docker-functions';
import { GoTemplate } from '@wharf/kit/go-template/template';
import { TemplateError } from '@wharf/kit/go-template/template-error';
import {
  anyType,
  type GoMethod,
  type GoMethods,
  mapOf,
  pointerTo,
  type StructType,
  stringType,
} from '@wharf/kit/go-template/types';
import { GoValue } from '@wharf/kit/go-template/value';
import { type RowKind, rowJson } from './rows.ts';
import { alignTabs } from './tab-columns.ts';

/** Rows by a template of the user's. */
export function formatByTemplate<T>(kind: RowKind<T>, rows: readonly T[], format: string): string {
  const isTable = format.startsWith('table');
  const text = (isTable ? format.slice('table'.length) : format === 'json' ? '{{json .}}' : format)
    .replaceAll(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  const type = pointerTo(rowType(kind));
  const template = explained(() => new GoTemplate(text));
  const body = rows.map((row) => `${explained(() => template.render(new GoValue(type, row)))}\n`).join('');
  return isTable ? alignTabs(`${headerOf(kind, template)}\n${body}`) : body;
}

/**
 * The columns a template asks of an empty row, as docker finds them out before it asks the daemon. Throws TemplateError with `parsing`
 * or `executing` before what Go says.
 */
export function columnsUsed<T>(
  kind: RowKind<T>,
  format: string,
  say: { readonly parsing: string; readonly executing: string },
): ReadonlySet<string> {
  const used = new Set<string>();
  const columns = Object.entries(kind.columns).map(([name, column]) => {
    const value = (row: T): unknown => {
      used.add(name);
      return column.value(row);
    };
    return [name, { ...column, value }] as const;
  });
  const type = pointerTo(rowType({ ...kind, columns: Object.fromEntries(columns) }));
  const template = explained(() => new GoTemplate(format), say.parsing);
  explained(() => template.render(new GoValue(type, {})), say.executing);
  return used;
}

/** What docker says before an error of a template. */
export function explained<R>(work: () => R, what = 'template parsing error'): R {
  try {
    return work();
  } catch (error) {
    if (error instanceof TemplateError) throw new TemplateError(`${what}: ${error.message}`);
    throw error;
  }
}

/** The template, rendered for the names of the columns. A function that takes no text ends the header where it stands, as docker's. */
function headerOf<T>({ columns }: RowKind<T>, template: GoTemplate): string {
  const headers = Object.entries(columns).flatMap(([name, { header }]) =>
    header === undefined ? [] : [[name, header]],
  );
  const type = { ...mapOf(stringType, { name: 'formatter.SubHeaderContext' }), methods: HEADER_METHODS };
  return template.renderPart(new GoValue(type, Object.fromEntries(headers)), { functions: headerFunctions }).text;
}

const HEADER_METHODS: GoMethods = {
  Label: {
    parameters: [stringType],
    result: stringType,
    call: (_data, name) => labelHeader(typeof name === 'string' ? name : ''),
  },
};

/** The header of a label's column: what stands behind its last dot. */
function labelHeader(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).replaceAll(/[-_]/g, ' ');
}

/** A row as a Go structure whose methods are the columns. */
export function rowType<T>(kind: RowKind<T>): StructType {
  const { columns, label } = kind;
  const methods: Record<string, GoMethod> = {};
  for (const [name, { value, type = anyType }] of Object.entries(columns)) {
    methods[name] = { parameters: [], result: type, call: (data) => value(data as T) };
  }
  if (label !== undefined) {
    methods['Label'] = {
      parameters: [stringType],
      result: stringType,
      call: (data, name) => label(data as T, typeof name === 'string' ? name : ''),
    };
  }
  const marshal = (data: unknown) => rowJson(kind, data as T);
  return { kind: 'struct', name: kind.goType.replace(/^\*/, ''), fields: [], methods, marshal };
}
