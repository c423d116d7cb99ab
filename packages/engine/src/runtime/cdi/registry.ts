import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf } from '@wharf/kit';
import { type CdiSpecification, type ContainerEdits, parseSpecification } from './specification.ts';
import { readYaml } from './yaml.ts';

export interface CdiDevice {
  /** `vendor.com/class=name`. */
  readonly id: string;
  readonly edits: ContainerEdits;
  /** Those of its specification, applied once however many of its devices are asked for. */
  readonly common: CdiSpecification;
}

export interface CdiDevices {
  readonly devices: ReadonlyMap<string, CdiDevice>;
  /** What could not be used, in words for the user. */
  readonly problems: readonly string[];
}

/**
 * Reads the specifications of the directories as they are now; later directories win over earlier ones, a device that two files of one
 * directory name is nobody's. JSON and YAML are read.
 */
export function readCdiDevices(directories: readonly string[]): CdiDevices {
  const devices = new Map<string, CdiDevice>();
  const problems: string[] = [];
  for (const directory of directories) {
    const own = new Map<string, CdiDevice>();
    const conflicting = new Set<string>();
    for (const path of specificationFiles(directory, problems)) {
      try {
        const common = parseSpecification(readDocument(path));
        for (const { name, containerEdits } of common.devices) {
          const id = `${common.kind}=${name}`;
          if (own.has(id)) conflicting.add(id);
          own.set(id, { id, edits: containerEdits, common });
        }
      } catch (error) {
        problems.push(`CDI: Error associated with spec file ${path}: ${messageOf(error)}`);
      }
    }
    for (const [id, device] of own) devices.set(id, device);
    for (const id of conflicting) {
      devices.delete(id);
      problems.push(`CDI: conflicting device ${JSON.stringify(id)} in ${directory}`);
    }
  }
  return { devices, problems };
}

function readDocument(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  return path.endsWith('.json') ? JSON.parse(text) : readYaml(text);
}

function specificationFiles(directory: string, problems: string[]): readonly string[] {
  try {
    const names = readdirSync(directory).toSorted();
    return names.filter((name) => /\.(json|ya?ml)$/.test(name)).map((name) => join(directory, name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    problems.push(`CDI: Error associated with directory ${directory}: ${messageOf(error)}`);
    return [];
  }
}
