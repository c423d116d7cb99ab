import type { Composite, Field, Kind, ScalarKind, Shape } from '../model/fields.ts';
import { decodeScalar } from './decode-scalar.ts';
import { type Dict, define, dict, goType, isDict, type Value } from './values.ts';

/** An object of the model under construction. */
export type Decoded = Record<string, unknown>;

/** Gathers what cannot be read, with the place as compose names it (`services[web].healthcheck.interval`). */
export class DecodeErrors {
  readonly found: { readonly keys: readonly string[]; readonly text: string }[] = [];

  add(keys: readonly string[], name: string, reason: string): void {
    this.found.push({ keys, text: `'${name}' ${reason}` });
  }
}

interface At {
  readonly name: string;
  readonly keys: readonly string[];
  readonly errors: DecodeErrors;
}

/** Reads one object of a canonical document into the model: zero and empty are left out. */
export function decodeShape(value: Dict, shape: Shape, at: At): Decoded {
  const result: Decoded = {};
  for (const field of shape.fields) {
    const given = value[field.key];
    const decoded = given === undefined || given === null ? undefined : decodeField(given, field, at);
    if (decoded !== undefined) result[field.key] = decoded;
    else if (isAlwaysThere(field.kind)) result[field.key] = {};
    else if (field.always === true && field.kind === 'bool') result[field.key] = false;
  }
  if (shape.extensible) for (const key of Object.keys(value)) if (key.startsWith('x-')) result[key] = value[key];
  return result;
}

/** Reads a mapping of named objects (`services`, `networks`, …). */
export function decodeMap(
  value: Value | undefined,
  shape: Shape,
  section: string,
  errors: DecodeErrors,
): Record<string, Decoded> {
  const result: Record<string, Decoded> = {};
  if (!isDict(value)) return result;
  for (const name of Object.keys(value)) {
    const item = value[name] ?? null;
    const at = { name: `${section}[${name}]`, keys: [section, name], errors };
    define(result, name, decodeItem(item ?? dict(), shape, at) ?? {});
  }
  return result;
}

function isAlwaysThere(kind: Kind): boolean {
  return typeof kind === 'object' && kind.as === 'struct';
}

function decodeField(value: Value, field: Field, parent: At): unknown {
  const at = { ...parent, name: `${parent.name}.${field.key}`, keys: [...parent.keys, field.key] };
  if (typeof field.kind === 'object') return decodeComposite(value, field.kind, at);
  return decodeOne(value, field.kind, at);
}

function decodeOne(value: Value, kind: ScalarKind, at: At): unknown {
  try {
    return decodeScalar(value, kind);
  } catch (error) {
    at.errors.add(at.keys, at.name, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function decodeComposite(value: Value, kind: Composite, at: At): unknown {
  switch (kind.as) {
    case 'object':
    case 'struct':
      if (isDict(value)) return decodeShape(value, kind.shape, at);
      return wrongType(value, 'expected a map or struct, got', at);
    case 'map': {
      if (!isDict(value)) return wrongType(value, 'expected a map, got', at);
      const result: Record<string, Decoded | null> = {};
      for (const key of Object.keys(value)) {
        const item = value[key] ?? null;
        const below = { ...at, name: `${at.name}[${key}]`, keys: [...at.keys, key] };
        define(result, key, item === null ? null : decodeItem(item, kind.shape, below));
      }
      return Object.keys(result).length === 0 ? undefined : result;
    }
    case 'list': {
      if (!Array.isArray(value)) return wrongType(value, 'source data must be an array or slice, got', at);
      const items = value.map((item, index) => {
        const below = { ...at, name: `${at.name}[${index}]`, keys: [...at.keys, String(index)] };
        return decodeItem(item ?? dict(), kind.shape, below);
      });
      return items.length === 0 ? undefined : items;
    }
  }
}

function decodeItem(item: Value, shape: Shape, at: At): Decoded | null {
  if (isDict(item)) return decodeShape(item, shape, at);
  wrongType(item, 'expected a map or struct, got', at);
  return null;
}

function wrongType(value: Value, expected: string, at: At): undefined {
  const kind = Array.isArray(value) ? 'slice' : isDict(value) ? 'map' : goType(value);
  at.errors.add(at.keys, at.name, `${expected} "${kind}"`);
  return undefined;
}
