import { closingBrace, VARIABLE } from '../load/template.ts';
import { byCodePoint, isDict, type Value } from '../load/values.ts';
import { writeYaml } from './write-yaml.ts';

/** A variable a document uses. */
export interface Variable {
  readonly name: string;
  /** `${NAME:-this}`; empty for none. */
  readonly defaultValue: string;
  /** `${NAME:+this}`; empty for none. */
  readonly presenceValue: string;
  readonly required: boolean;
}

/** The variables of a document that is not interpolated, sorted by name; of several uses the last counts. */
export function variablesOf(document: Value): readonly Variable[] {
  const found = new Map<string, Variable>();
  collect(document, found);
  return [...found.values()].sort((a, b) => byCodePoint(a.name, b.name));
}

function collect(value: Value, found: Map<string, Variable>): void {
  if (typeof value === 'string') for (const variable of inText(value)) found.set(variable.name, variable);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (isDict(value)) for (const key of Object.keys(value).sort(byCodePoint)) collect(value[key] ?? null, found);
}

function inText(text: string): Variable[] {
  if (!text.includes('$')) return [];
  const found: Variable[] = [];
  for (const match of text.matchAll(VARIABLE)) {
    if (match[1] !== undefined) continue;
    const whole = match[0];
    const end = match[3] === undefined ? -1 : closingBrace(whole);
    const body = end > 0 ? whole.slice(2, end) : (match[2] ?? match[3] ?? '');
    const variable = parse(body);
    if (end > 0) found.push(...inText(whole.slice(end + 1)));
    found.push(variable, ...inText(variable.defaultValue), ...inText(variable.presenceValue));
  }
  return found;
}

function parse(body: string): Variable {
  const [, name = body, operator = '', word = ''] = /^([a-zA-Z0-9_]+)(:?[-?+])([\s\S]*)$/.exec(body) ?? [];
  return {
    name,
    defaultValue: operator.endsWith('-') ? word : '',
    presenceValue: operator.endsWith('+') ? word : '',
    required: operator.endsWith('?'),
  };
}

/** Variables as `config --variables --format json|yaml` prints them. */
export function renderVariables(variables: readonly Variable[], format: 'json' | 'yaml'): string {
  if (format === 'json') {
    const entries = variables.map(({ name, defaultValue, presenceValue, required }) => [
      name,
      { Name: name, DefaultValue: defaultValue, PresenceValue: presenceValue, Required: required },
    ]);
    // The table is printed line by line; JSON ends with one line more.
    return `${JSON.stringify(Object.fromEntries(entries), null, 4)}\n\n`;
  }
  if (variables.length === 0) return '{}\n';
  return variables.map(yamlEntry).join('');
}

function yamlEntry(variable: Variable): string {
  const value = (text: Value): string => writeYaml(text as string).trimEnd();
  const lines = [
    `name: ${value(variable.name)}`,
    `defaultvalue: ${value(variable.defaultValue)}`,
    `presencevalue: ${value(variable.presenceValue)}`,
    `required: ${String(variable.required)}`,
  ];
  return `${value(variable.name)}:\n${lines.map((line) => `    ${line}\n`).join('')}`;
}
