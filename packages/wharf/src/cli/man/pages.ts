import { DIRECTIVES } from '../../config/schema.ts';
import { type Command, type Group, isGroup, type Node } from '../command.ts';
import type { Flag, FlagTable } from '../flags.ts';
import { globalFlagsWithDefaults } from '../global-flags.ts';
import { daemonManualPage, manualPage } from './page.ts';

export interface ManualFile {
  /** `wharf-container-ls.1`. */
  readonly file: string;
  readonly text: string;
}

/** The manual of a whole tree. A command that stands in several places has one page, and links to it. */
export async function manualPages(root: Group, version: string): Promise<readonly ManualFile[]> {
  const pages: ManualFile[] = [];
  const written = new Map<Command, string>();
  const write = async (node: Node, names: readonly string[]): Promise<void> => {
    const file = `${names.join('-')}.1`;
    if (isGroup(node)) {
      const globals = names.length === 1 ? { globals: globalFlagsWithDefaults() } : {};
      pages.push({ file, text: manualPage({ names, node, version, ...globals }) });
      for (const below of shown(node)) await write(below, [...names, below.name]);
      return;
    }
    const command = await node.load();
    const same = written.get(command);
    if (same === undefined) written.set(command, file);
    const text = same === undefined ? manualPage({ names, node, command, version }) : `.so man1/${same}\n`;
    pages.push({ file, text });
  };
  await write(root, [root.name]);
  return [...pages, { file: 'wharfd.8', text: daemonManualPage({ flags: daemonFlags(), version }) }];
}

/** The daemon's settings as flags of a command. */
function daemonFlags(): FlagTable {
  const rows = DIRECTIVES.map(({ flag, short, kind, help }): readonly [string, Flag] => {
    const letter = short === undefined ? {} : { short };
    return [flag, kind === 'bool' ? { kind, help, ...letter } : { kind: 'string', type: kind, help, ...letter }];
  });
  return Object.fromEntries(rows);
}

/** Nouns first, so that the page of a command is that of its full name. */
function shown({ commands }: Group): readonly Node[] {
  const visible = commands.filter(({ hidden }) => hidden !== true);
  return [...visible.filter(isGroup), ...visible.filter((node) => !isGroup(node))];
}
