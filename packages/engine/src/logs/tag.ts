import { createRequire } from 'node:module';
import { WharfError } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import { tagValues } from './tag-values.ts';

type Templates = typeof import('./tag-template.ts');

/** A tag nearly always is a few of these, for which a daemon needs no template engine. */
const SIMPLE = /\{\{\s*(\.\w+)\s*\}\}/g;

function isSimple(template: string): boolean {
  const rest = template.replaceAll(SIMPLE, (whole, name: string) => (Object.hasOwn(tagValues, name) ? '' : whole));
  return !rest.includes('{{');
}

/** Loaded by the first tag that is more, and at once: whoever checks options does not wait. */
let templates: Templates | undefined;

function loadTemplates(): Templates {
  templates ??= createRequire(import.meta.url)('./tag-template.ts') as Templates;
  return templates;
}

/** Throws `invalid-argument` for a template that cannot be read, or that asks for what containers do not have. */
export function checkTag(template: string): void {
  if (isSimple(template)) return;
  try {
    loadTemplates().checkTagTemplate(template);
  } catch (error) {
    if (!(error instanceof WharfError)) throw error;
    throw new WharfError('invalid-argument', error.message, { cause: error });
  }
}

/** The tag of a container's messages: a Go template with `{{.ID}}`, `{{.Name}}` and the like, by default the short id. */
export function renderTag(record: ContainerRecord, template: string): string {
  if (isSimple(template)) return template.replaceAll(SIMPLE, (_whole, name: string) => tagValues[name]?.(record) ?? '');
  return loadTemplates().renderTagTemplate(record, template);
}
