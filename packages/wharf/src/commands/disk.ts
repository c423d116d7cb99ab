import { defineCommand, noArguments } from '../cli/command.ts';
import type { CliContext } from '../cli/context.ts';

const SHOWN_PARTS = 20;

interface Account {
  readonly totalBytes: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly parts: readonly {
    readonly path: string;
    readonly kind: string;
    readonly bytes: number;
    readonly owner?: string;
  }[];
}

/** `wharf disk`: whose the bytes below the data root are, and what nobody owns. */
export const disk = defineCommand({
  usage: '',
  flags: {},
  args: noArguments,
  json: true,
  examples: ['wharf disk'],
  run: (context) => show(context),
});

async function show(context: CliContext): Promise<number> {
  const account = await (await context.client()).json<Account>('GET', '/wharf/disk');
  if (context.json) {
    console.log(JSON.stringify(account, null, 2));
    return 0;
  }
  for (const [kind, bytes] of Object.entries(account.byKind).sort(([, a], [, b]) => b - a)) {
    console.log(`${size(bytes).padStart(10)}  ${kind}`);
  }
  console.log(`${size(account.totalBytes).padStart(10)}  in all\n`);
  const parts = account.parts.filter(({ kind, path }) => kind !== 'directories' && path !== '');
  for (const { bytes, kind, path, owner } of parts.slice(0, SHOWN_PARTS)) {
    console.log(`${size(bytes).padStart(10)}  ${path}  (${owner === undefined ? kind : `${kind}: ${owner}`})`);
  }
  const strays = account.parts.filter(({ kind }) => kind === 'unaccounted');
  for (const { path } of strays) console.error(`Nobody knows of ${path}`);
  return 0;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
