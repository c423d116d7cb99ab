import { parseBytes } from '@wharf/kit/bytes';
import { parseGoDuration } from '@wharf/kit/duration';
import { parseGoCsv } from '@wharf/kit/go-csv';
import { parseGoBoolean, parseGoInteger } from '@wharf/kit/go-numbers';
import type { Flag } from './flags.ts';

/** The value after one more `--flag=text`; `before` is what the flag had. Throws what Go's readers say of a bad value. */
export function nextValue(flag: Flag, before: unknown, text: string): unknown {
  switch (flag.kind) {
    case 'bool':
      return parseGoBoolean(text);
    case 'string':
      return flag.parse === undefined ? text : flag.parse(text);
    case 'list':
      return [...listOf(before), flag.parse === undefined ? text : flag.parse(text)];
    case 'strings': {
      const fields = text === '' ? [] : parseGoCsv(text);
      return [...listOf(before), ...(flag.parse === undefined ? fields : fields.map(flag.parse))];
    }
    case 'map': {
      const equals = text.indexOf('=');
      const [key, value] = equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
      return { ...(before as Readonly<Record<string, string>>), [key]: value };
    }
    case 'count':
      return text === '+1' ? Number(before) + 1 : Number(parseGoInteger(text, { base: 0 }));
    case 'int':
      return Number(parseGoInteger(text, { base: 0 }));
    case 'uint':
      return Number(parseGoInteger(text, { base: 0, as: 'ParseUint' }));
    case 'duration':
      return Number(parseGoDuration(text));
    case 'bytes':
      return parseBytes(text);
  }
}

/** The value of a flag that was not given. */
export function absentValue(flag: Flag): unknown {
  switch (flag.kind) {
    case 'bool':
      return flag.default ?? false;
    case 'list':
    case 'strings':
      return [];
    case 'map':
      return {};
    case 'count':
      return flag.default ?? 0;
    default:
      return flag.default;
  }
}

/** What the flag is set to when no `=value` follows; `undefined` when it needs one. */
export function bareValue(flag: Flag): string | undefined {
  if (flag.bare !== undefined) return flag.bare;
  if (flag.kind === 'bool') return 'true';
  return flag.kind === 'count' ? '+1' : undefined;
}

function listOf(before: unknown): readonly unknown[] {
  return Array.isArray(before) ? (before as readonly unknown[]) : [];
}
