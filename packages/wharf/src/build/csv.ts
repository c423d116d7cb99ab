import { UsageError } from '../cli/errors.ts';

/** The fields of one line of comma-separated values (RFC 4180): a field in quotes may hold commas, and quotes doubled. */
export function csvFields(line: string): readonly string[] {
  const fields: string[] = [];
  for (let at = 0; at <= line.length; at += 1) {
    if (line[at] !== '"') {
      const comma = line.indexOf(',', at);
      const end = comma < 0 ? line.length : comma;
      fields.push(line.slice(at, end));
      at = end;
      continue;
    }
    let field = '';
    let end = at + 1;
    for (; ; end += 1) {
      if (end >= line.length) throw new UsageError(`invalid value ${line}: a quote is not closed`);
      if (line[end] !== '"') field += line[end];
      else if (line[end + 1] === '"') {
        field += '"';
        end += 1;
      } else break;
    }
    fields.push(field);
    at = end + 1;
    if (at < line.length && line[at] !== ',')
      throw new UsageError(`invalid value ${line}: text follows a closed quote`);
  }
  return fields;
}

/** `key=value` fields, keys in lower case. Throws UsageError for a field that is none. */
export function csvPairs(line: string): readonly (readonly [key: string, value: string])[] {
  return csvFields(line).map((field) => {
    const equals = field.indexOf('=');
    if (equals < 0) throw new UsageError(`invalid value ${field}: it is no key=value pair`);
    return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
  });
}

/** A line of such fields; values with commas or quotes are quoted. */
export function csvLine(fields: readonly string[]): string {
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
