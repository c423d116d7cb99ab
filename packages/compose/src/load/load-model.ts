import { checkDocument } from './checks.ts';
import { isRemote } from './context.ts';
import { setDefaults } from './defaults.ts';
import { loadFile } from './load-document.ts';
import { resolveFromEnvironment } from './resolve-environment.ts';
import { resolvePaths } from './resolve-paths.ts';
import type { Scope } from './scope.ts';
import { type Dict, dict } from './values.ts';
import type { YamlFile } from './yaml-nodes.ts';

/** Lays files over each other and settles what they say; names and defaults of the project come later (`normalize`). */
export async function loadModel(files: readonly YamlFile[], scope: Scope): Promise<Dict> {
  let document = dict();
  for (const file of files) {
    scope.context.signal?.throwIfAborted();
    ({ document } = await loadFile(file, document, scope));
  }
  if (scope.steps.defaults) setDefaults(document);
  if (scope.steps.validate) checkDocument(document);
  if (scope.steps.paths) resolvePaths(document, { base: scope.workingDir, home: scope.context.home, isRemote });
  resolveFromEnvironment(document, scope.environment);
  return document;
}
