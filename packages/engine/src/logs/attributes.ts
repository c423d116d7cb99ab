import type { ContainerRecord } from '../containers/container.ts';
import { renderTag } from './tag.ts';

export type Attributes = Readonly<Record<string, string>>;

function splitList(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

/** Adds what a list of names and a pattern choose from `values`. */
function choose(
  target: Record<string, string>,
  values: ReadonlyMap<string, string>,
  names: string | undefined,
  pattern: string | undefined,
): void {
  for (const name of splitList(names)) {
    const value = values.get(name);
    if (value !== undefined) target[name] = value;
  }
  if (pattern === undefined || pattern === '') return;
  const regex = new RegExp(pattern, 'u');
  for (const [name, value] of values) if (regex.test(name)) target[name] = value;
}

/** The labels and environment variables that the `labels`, `labels-regex`, `env` and `env-regex` options choose. */
export function chosenAttributes(record: ContainerRecord, options: Attributes): Attributes {
  const chosen: Record<string, string> = {};
  const labels = new Map(Object.entries(record.config.Labels ?? {}));
  choose(chosen, labels, options['labels'], options['labels-regex']);
  const environment = new Map<string, string>();
  for (const entry of record.config.Env ?? []) {
    const at = entry.indexOf('=');
    if (at > 0) environment.set(entry.slice(0, at), entry.slice(at + 1));
  }
  choose(chosen, environment, options['env'], options['env-regex']);
  return chosen;
}

/** The attributes json-file writes with each record: the chosen ones, and the tag if one was asked for. */
export function recordAttributes(record: ContainerRecord, options: Attributes): Attributes {
  const chosen = chosenAttributes(record, options);
  const template = options['tag'] ?? '';
  return template === '' ? chosen : { ...chosen, tag: renderTag(record, template) };
}

/** As Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What `docker logs --details` puts before a line: `a=1,b=2`. */
export function formatDetails(attributes: Attributes): string {
  const names = Object.keys(attributes).sort();
  return names.map((name) => `${queryEscape(name)}=${queryEscape(attributes[name] ?? '')}`).join(',');
}
