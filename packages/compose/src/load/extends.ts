import { directoryFrom, isRemote, localPath } from './context.ts';
import { mergeService } from './merge.ts';
import { nearest, Problem } from './problem.ts';
import { applyResets } from './resets.ts';
import { resolvePaths } from './resolve-paths.ts';
import type { ExtendsChain, Resets, Scope } from './scope.ts';
import { cloneValue, type Dict, dict, isDict, type Value } from './values.ts';

interface Job {
  readonly file: string;
  readonly scope: Scope;
}

/** Lays each service with `extends` over the one it names (Compose specification, "extends"), in place. */
export async function applyExtends(
  document: Dict,
  file: string,
  scope: Scope & { readonly resets: Resets },
): Promise<void> {
  const services = document['services'];
  if (services === undefined) return;
  if (!isDict(services)) throw new Problem('services must be a mapping', { keys: ['services'] });
  for (const name of Object.keys(services))
    services[name] = await extendService(name, services, scope.resets, { file, scope });
}

async function extendService(name: string, services: Dict, resets: Resets, job: Job): Promise<Value> {
  const service = services[name] ?? null;
  if (service === null) return null;
  const keys = ['services', name];
  if (!isDict(service)) throw new Problem(`services.${name} must be a mapping`, { keys });
  const reference = service['extends'];
  if (reference === undefined) return service;
  const { ref, from } = readReference(name, reference);
  let base: { services: Dict; resets: Resets; file: string };
  if (from !== undefined) base = { ...(await baseFromFile(name, ref, from, job.scope)), file: from };
  else {
    if (!(ref in services)) throw notThere(name, ref, job.file, services);
    base = { services, resets: [], file: job.file };
  }
  const chain = lengthen(job.scope.chain, { file: base.file, service: name }, keys);
  const below: Job = { ...job, scope: { ...job.scope, chain } };
  const extended = await extendService(ref, base.services, base.resets, below);
  if (!isDict(extended)) return service;
  const source = cloneValue(extended) as Dict;
  applyResets(dict({ services: dict({ [name]: source }) }), resets);
  const merged = mergeService(source, service, name);
  delete merged['extends'];
  services[name] = merged;
  return merged;
}

function readReference(name: string, reference: Value): { ref: string; from: string | undefined } {
  if (typeof reference === 'string') return { ref: reference, from: undefined };
  const ref = isDict(reference) ? reference['service'] : undefined;
  if (!isDict(reference) || typeof ref !== 'string')
    throw new Problem(`extends.${name}.service is required`, {
      keys: ['services', name, 'extends'],
      suggestion: 'write "service: name" below extends',
    });
  const from = reference['file'];
  return { ref, from: typeof from === 'string' ? from : undefined };
}

async function baseFromFile(
  name: string,
  ref: string,
  from: string,
  scope: Scope,
): Promise<{ services: Dict; resets: Resets }> {
  const { dirname } = process.getBuiltinModule('node:path');
  const { context } = scope;
  const path = await localPath(from, scope.directory, context);
  const workingDir = directoryFrom(scope.directory, path);
  const steps = { ...scope.steps, validate: false, extends: false, include: false, defaults: false, paths: false };
  const loaded = await scope.loader.file(context.files.read(path), dict(), {
    ...scope,
    steps,
    directory: dirname(path),
    workingDir,
    included: [],
  });
  const services = loaded.document['services'];
  if (!isDict(services)) {
    const what = services === undefined ? 'no services section' : 'services must be a mapping';
    throw new Problem(`cannot extend service "${name}" in ${path}: ${what}`, { keys: ['services', name, 'extends'] });
  }
  if (!(ref in services)) throw notThere(name, ref, from, services, from);
  resolvePaths(loaded.document, { base: workingDir, home: context.home, isRemote });
  return { services, resets: loaded.resets };
}

function notThere(name: string, ref: string, file: string, services: Dict, from?: string): Problem {
  const near = nearest(ref, Object.keys(services));
  const where = from === undefined ? '' : ` in ${from}`;
  return new Problem(`cannot extend service "${name}" in ${file}: service "${ref}" not found${where}`, {
    keys: ['services', name, 'extends'],
    suggestion: near === undefined ? undefined : `did you mean "${near}"?`,
  });
}

function lengthen(chain: ExtendsChain, next: ExtendsChain[number], keys: readonly string[]): ExtendsChain {
  const all = [...chain, next];
  if (!chain.some((link) => link.file === next.file && link.service === next.service)) return all;
  const lines = all.map((link, index) => `  ${index === 0 ? '' : 'extends '}${link.service} in ${link.file}`);
  throw new Problem(['Circular reference:', ...lines].join('\n'), { keys: [...keys, 'extends'] });
}
