import {
  anyType,
  type BasicType,
  boolType,
  type GoField,
  type GoType,
  mapOf,
  pointerTo,
  type StructType,
  sliceOf,
} from '@wharf/kit/go-template/types';
import { DECLARATIONS } from './declarations.ts';
import { METHODS } from './methods.ts';

const cache = new Map<string, GoType>();
let texts: ReadonlyMap<string, string> | undefined;

/** A type of docker's API by Go's name (`container.InspectResponse`, `[]network.Inspect`). Throws for one that is not declared. */
export function dockerType(name: string): GoType {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const type = readType(name);
  cache.set(name, type);
  return type;
}

const BASIC: Readonly<Record<string, BasicType['kind']>> = {
  string: 'string',
  bool: 'bool',
  float64: 'float',
};

function readType(name: string): GoType {
  if (name === 'any') return anyType;
  if (name === 'bool') return boolType;
  if (name === 'time.Time') return { kind: 'struct', name, fields: [], marshal: JSON.stringify, ...METHODS[name] };
  const basic = basicKind(name);
  if (basic !== undefined) return { kind: basic, name };
  if (name.startsWith('*')) return pointerTo(dockerType(name.slice(1)));
  const list = /^\[(\d*)\](.+)$/.exec(name);
  if (list !== null) {
    const elem = dockerType(list[2] ?? '');
    if (list[1] === '') return sliceOf(elem);
    return { kind: 'array', name, underlying: name, elem };
  }
  const map = /^map\[([^\]]+)\](.+)$/.exec(name);
  if (map !== null) return mapOf(dockerType(map[2] ?? ''), { key: keyType(map[1] ?? '') });
  const inline = /^struct\{(.*)\}$/.exec(name);
  if (inline !== null) return inlineStruct(name, inline[1] ?? '');
  return declaredType(name);
}

function basicKind(name: string): BasicType['kind'] | undefined {
  if (/^u?int\d*$/.test(name)) return name.startsWith('u') ? 'uint' : 'int';
  return BASIC[name];
}

function keyType(name: string): BasicType {
  const type = dockerType(name);
  if (!['string', 'int', 'uint'].includes(type.kind)) throw new TypeError(`${name} is no key of a map`);
  return type as BasicType;
}

function inlineStruct(name: string, body: string): StructType {
  const fields = body === '' ? [] : body.split(', ').map(readField);
  return { kind: 'struct', name: name.replace('{', ' {'), fields };
}

function declaredType(name: string): GoType {
  texts ??= declarations();
  const body = texts.get(name);
  if (body === undefined) throw new TypeError(`There is no type ${name} in docker's API`);
  const methods = METHODS[name] ?? {};
  if (!body.startsWith('{')) {
    const under = dockerType(body);
    // `underlying` stays that of the type it is made of.
    return { ...under, name, ...methods } as GoType;
  }
  const fields: GoField[] = [];
  const type: StructType = { kind: 'struct', name, fields, ...methods };
  // A type may hold itself: it is known before its fields are.
  cache.set(name, type);
  const declared = body.slice(1).split(';');
  fields.push(...declared.filter((field) => field.trim() !== '').map(readField));
  return type;
}

function readField(text: string): GoField {
  const match = /^\s*([+-]?)(\w+)(?::(\S+))? (.+?)( \?)?$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" declares no field`);
  const [, mark, name = '', key, type = '', empty] = match;
  return {
    ...{ name, key: key ?? name, type: dockerType(type) },
    ...(empty === undefined ? {} : { omitEmpty: true }),
    ...(mark === '+' ? { embedded: true } : {}),
    ...(mark === '-' ? { hidden: true } : {}),
  };
}

/** The body of each declared type: `{` and its fields, or the type it is made of. */
function declarations(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', alias, fields = ''] of DECLARATIONS.matchAll(/^(\S+) (?:= (.+)|\{\n((?: .*\n)*)\})$/gm)) {
    found.set(name, alias ?? `{${fields}`);
  }
  return found;
}
