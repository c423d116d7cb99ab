import type { InstructionNode } from '../ast.ts';
import { parseHeredocWord, withoutLeadingTabs } from '../heredoc.ts';
import { DockerfileError } from '../location.ts';
import { common } from './common.ts';
import { Flags } from './flags.ts';
import type { AddInstruction, CopyInstruction, SourcesAndDestination } from './types.ts';

const SHARED = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'list' } as const;

export function parseAdd(node: InstructionNode): AddInstruction {
  const flags = checkedFlags(node, 'ADD', { 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' });
  return {
    ...common(node),
    ...shared(flags),
    ...sourcesAndDestination(node, 'ADD'),
    kind: 'add',
    keepGitDir: flags.has('keep-git-dir') ? flags.isTrue('keep-git-dir') : undefined,
    checksum: flags.text('checksum'),
    unpack: flags.has('unpack') ? flags.isTrue('unpack') : undefined,
  };
}

export function parseCopy(node: InstructionNode): CopyInstruction {
  const flags = checkedFlags(node, 'COPY', { from: 'text', parents: 'boolean' });
  return {
    ...common(node),
    ...shared(flags),
    ...sourcesAndDestination(node, 'COPY'),
    kind: 'copy',
    from: flags.text('from'),
    parents: flags.isTrue('parents'),
  };
}

function checkedFlags(
  node: InstructionNode,
  keyword: string,
  own: Readonly<Record<string, 'boolean' | 'text' | 'list'>>,
): Flags {
  if (node.args.length < 2) {
    throw new DockerfileError(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
    );
  }
  return new Flags(node.flags, { ...SHARED, ...own });
}

function shared(flags: Flags) {
  return {
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.isTrue('link'),
    exclude: flags.list('exclude'),
  };
}

function sourcesAndDestination(node: InstructionNode, keyword: string): SourcesAndDestination {
  const destination = node.args.at(-1) ?? '';
  if (parseHeredocWord(destination) !== undefined) {
    throw new DockerfileError(`${keyword} cannot accept a heredoc as a destination`);
  }
  const sources: string[] = [];
  const inline: SourcesAndDestination['inline'][number][] = [];
  for (const source of node.args.slice(0, -1)) {
    const word = parseHeredocWord(source);
    const heredoc = word === undefined ? undefined : node.heredocs.find(({ name }) => name === word.name);
    if (word === undefined) sources.push(source);
    else {
      const content = heredoc?.content ?? '';
      inline.push({ name: word.name, data: word.chomp ? withoutLeadingTabs(content) : content, expand: word.expand });
    }
  }
  return { sources, inline, destination };
}
