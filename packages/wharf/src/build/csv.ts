import { messageOf } from '@wharf/kit/errors';
import { parseGoCsv } from '@wharf/kit/go-csv';
import { UsageError } from '../cli/errors.ts';

/** The fields of one line of comma-separated values. Throws UsageError. */
export function csvFields(line: string): readonly string[] {
  if (line === '') return [''];
  try {
    return parseGoCsv(line);
  } catch (error) {
    throw new UsageError(`invalid value ${line}: ${messageOf(error)}`);
  }
}

/** `key=value` fields, keys in lower case. Throws UsageError for a field that is none. */
export function csvPairs(line: string): readonly (readonly [key: string, value: string])[] {
  return csvFields(line).map((field) => {
    const equals = field.indexOf('=');
    if (equals < 0) throw new UsageError(`invalid value ${field}: it is no key=value pair`);
    return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
  });
}
