import { messageOf, WharfError } from '@wharf/kit/errors';
import type { CliContext } from '../cli/context.ts';
import { ExitError } from '../cli/errors.ts';
import type { FlagTable } from '../cli/flags.ts';
import { compactJson, indentJson } from './json-text.ts';

/** What an inspect command found. */
export interface Inspected {
  /** The daemon's document. */
  readonly raw: string;
  /** Its type in Go; absent for what templates read as it came. */
  readonly type?: string;
  /** Printed as Go writes the type, and not as it came: what docker's client knows nothing of is left out. */
  readonly rewritten?: true;
}

/** Docker's status for a template that cannot be read. */
const BAD_TEMPLATE_STATUS = 64;

interface Printer {
  add(found: Inspected): void | Promise<void>;
  end(): string;
}

/**
 * Prints what is known of the objects named on the line: an array of the daemon's documents, or each by the template of `--format`.
 * What is not found is said at the end; the status is 1 then.
 */
export async function inspectAll<T extends FlagTable>(
  context: CliContext<T>,
  find: (name: string) => Promise<Inspected>,
  names: readonly string[] = context.args,
): Promise<number> {
  const { format = '' } = context.flags as { readonly format?: string };
  const print = await printerFor(context.json ? '' : format);
  const errors: string[] = [];
  for (const name of names) {
    try {
      await print.add(await find(name));
    } catch (error) {
      if (!(error instanceof WharfError) || error instanceof ExitError) throw error;
      errors.push(messageOf(error));
    }
  }
  context.out.write(print.end());
  if (errors.length === 0) return 0;
  context.err.line(errors.join('\n'));
  return 1;
}

async function printerFor(format: string): Promise<Printer> {
  if (format === '') return jsonPrinter((text) => indentJson(text));
  if (format === 'json') return jsonPrinter(compactJson);
  const { templatePrinter } = await import('./inspect-template.ts');
  try {
    return templatePrinter(format);
  } catch (error) {
    if (error instanceof WharfError) throw new ExitError(BAD_TEMPLATE_STATUS, error.message);
    throw error;
  }
}

function jsonPrinter(write: (text: string) => string): Printer {
  const texts: string[] = [];
  return {
    add: async ({ raw, type, rewritten }) => {
      if (rewritten !== true || type === undefined) {
        texts.push(raw);
        return;
      }
      const { rewriteJson } = await import('./inspect-template.ts');
      texts.push(rewriteJson(raw, type));
    },
    end: () => (texts.length === 0 ? '[]\n' : `${write(`[${texts.join(',')}]`)}\n`),
  };
}
