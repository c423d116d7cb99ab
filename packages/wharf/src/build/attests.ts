import { formatCsv } from '@wharf/kit/go-csv';
import { UsageError } from '../cli/errors.ts';
import { csvPairs } from './csv.ts';
import { parseBoolean } from './parse-boolean.ts';

/** Attributes of the front end for `--attest`, `--provenance` and `--sbom`. Throws UsageError. */
export function attestAttributes(given: {
  readonly attests: readonly string[];
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
}): Readonly<Record<string, string>> {
  const lines = [...given.attests, ...shorthand('provenance', given.provenance), ...shorthand('sbom', given.sbom)];
  const wanted = new Map<string, string | undefined>();
  for (const line of lines) {
    const { type, disabled, ...rest } = Object.fromEntries(csvPairs(line));
    if (type === undefined || type === '') throw new UsageError(`attestation type not specified: ${line}`);
    const off = parseBoolean(disabled ?? 'false');
    if (off === undefined) throw new UsageError(`invalid value disabled=${disabled}: it is true or false`);
    const fields = [`type=${type}`, ...Object.entries(rest).map(([key, value]) => `${key}=${value}`)];
    wanted.set(type, off ? undefined : formatCsv(fields));
  }
  return Object.fromEntries(
    [...wanted].flatMap(([type, line]) => (line === undefined ? [] : [[`attest:${type}`, line] as const])),
  );
}

function shorthand(type: string, text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return [];
  const truth = parseBoolean(text);
  return [truth === undefined ? `type=${type},${text}` : `type=${type},disabled=${!truth}`];
}
