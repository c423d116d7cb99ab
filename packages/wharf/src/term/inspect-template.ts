import { marshalJson } from '@wharf/kit/go-template/json';
import { GoTemplate } from '@wharf/kit/go-template/template';
import { TemplateError } from '@wharf/kit/go-template/template-error';
import { GoValue, JsonNumber } from '@wharf/kit/go-template/value';
import { parseJson } from '@wharf/wire/json';
import { dockerType } from './docker-types/docker-type.ts';
import type { Inspected } from './inspect.ts';
import { explained } from './row-template.ts';

interface SourceReviver {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}

/**
 * Renders documents by a template: first as Go's structure of the type, whose fields have Go's names; where that fails, as the
 * document came, where a missing key is an error. Throws TemplateError for a template that cannot be read.
 */
export function templatePrinter(format: string): { add(found: Inspected): void; end(): string } {
  const template = explained(() => new GoTemplate(format));
  let text = '';
  // Docker's template keeps this from the first document that needed it on.
  let missingKey: 'default' | 'error' = 'default';
  return {
    add: (found) => {
      const typed = renderTyped(template, found, missingKey);
      if (typeof typed === 'string') {
        text += `${typed}\n`;
        return;
      }
      if (found.rewritten === true) throw new TemplateError(`template parsing error: ${typed.message}`);
      missingKey = 'error';
      text += `${explained(() => template.render(rawData(found.raw), { missingKey }))}\n`;
    },
    end: () => (text === '' ? '\n' : text),
  };
}

function renderTyped(
  template: GoTemplate,
  { raw, type }: Inspected,
  missingKey: 'default' | 'error',
): string | TemplateError {
  if (type === undefined) return new TemplateError('');
  try {
    return template.render(new GoValue(dockerType(type), parseJson(raw)), { missingKey });
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

/** The document with its numbers as they are written. */
function rawData(raw: string): unknown {
  return (JSON as unknown as SourceReviver).parse(raw, (_key, value, { source }) =>
    typeof value === 'number' ? new JsonNumber(source ?? String(value)) : value,
  );
}

const ESCAPED = /[<>&]/g;

/** The document as Go's client writes what it read: fields of the type in their order, with escapes for HTML. */
export function rewriteJson(raw: string, type: string): string {
  return marshalJson(new GoValue(dockerType(type), parseJson(raw))).replaceAll(
    ESCAPED,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}
