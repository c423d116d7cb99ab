import { canonicalize } from './canonical.ts';
import { composeSchema } from './compose-schema.ts';
import type { LoadContext } from './context.ts';
import { applyExtends } from './extends.ts';
import { applyInclude } from './include.ts';
import { interpolate } from './interpolate.ts';
import { mergeDocuments } from './merge.ts';
import { Problem } from './problem.ts';
import { applyResets } from './resets.ts';
import { findViolation } from './schema.ts';
import type { LoadedFile, Resets, Scope } from './scope.ts';
import { keepUnique } from './unique.ts';
import { type Dict, dict, dictAt, isDict } from './values.ts';
import type { YamlFile } from './yaml-nodes.ts';
import { documentValue } from './yaml-values.ts';

/** Lays all documents of a file over `base`, which is used up. */
export async function loadFile(file: YamlFile, base: Dict, scope: Scope): Promise<LoadedFile> {
  let document = base;
  let resets: Resets = [];
  try {
    for (const node of file.documents) {
      const read = documentValue(file, node);
      const at = { file: file.name, line: 1, column: 1 };
      if (!isDict(read.value)) throw new Problem('top-level object must be a mapping', { at });
      resets = read.resets;
      document = await loadDocument(file, read.value, document, { ...scope, resets });
    }
  } catch (error) {
    if (error instanceof Problem) error.file ??= file.name;
    throw error;
  }
  return { document, resets };
}

interface DocumentScope extends Scope {
  readonly resets: Resets;
}

async function loadDocument(file: YamlFile, own: Dict, base: Dict, scope: DocumentScope): Promise<Dict> {
  const { context, steps, environment } = scope;
  if (steps.interpolate)
    interpolate(own, {
      lookup: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
      warn: context.warn,
    });
  if (steps.extends) await applyExtends(own, file.name, scope);
  applyResets(base, scope.resets);
  if (steps.include) await applyInclude(own, [...scope.included, file.name], scope);
  const document = mergeDocuments(base, own);
  keepUnique(document);
  if (steps.validate) validate(document, file.name, context);
  canonicalize(document, { lenient: !steps.interpolate, warn: context.warn });
  dropEmptyDns(document);
  // A short form may stand for what an override says, too: ranges of ports do.
  keepUnique(document);
  return document;
}

function validate(document: Dict, file: string, context: LoadContext): void {
  const violation = findViolation(document, composeSchema);
  if (violation !== undefined)
    throw new Problem(`validating ${file}: ${violation.message}`, {
      keys: violation.keys,
      suggestion: violation.suggestion,
    });
  if (!('version' in document)) return;
  context.warn(
    `${file}: the attribute \`version\` is obsolete, it will be ignored, please remove it to avoid potential confusion`,
  );
  delete document['version'];
}

function dropEmptyDns(document: Dict): void {
  for (const service of Object.values(dictAt(document, 'services') ?? dict())) {
    if (!isDict(service) || !Array.isArray(service['dns'])) continue;
    service['dns'] = service['dns'].filter((item) => item !== '' && item !== null);
  }
}
