import type { InstructionNode } from '../ast.ts';
import { DockerfileError, withLocation } from '../location.ts';
import { didYouMean } from '../suggest.ts';
import { atLeastOne, commandLine, common } from './common.ts';
import { Flags } from './flags.ts';
import { parseAdd, parseCopy } from './parse-copy.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseRun } from './parse-run.ts';
import type { ArgDefinition, FromInstruction, Instruction } from './types.ts';

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

type Parser = (node: InstructionNode) => Instruction | FromInstruction;

const PARSERS: Readonly<Record<string, Parser>> = {
  add: parseAdd,
  arg: parseArg,
  cmd: (node) => ({ ...common(node), ...commandLine(node), kind: 'cmd' }),
  copy: parseCopy,
  entrypoint: (node) => ({ ...common(node), ...commandLine(node), kind: 'entrypoint' }),
  env: (node) => ({ ...common(node), kind: 'env', pairs: pairs(node, 'ENV') }),
  expose: parseExpose,
  from: parseFrom,
  healthcheck: parseHealthcheck,
  label: (node) => ({ ...common(node), kind: 'label', pairs: pairs(node, 'LABEL') }),
  maintainer: (node) => ({ ...common(node), kind: 'maintainer', maintainer: single(node, 'MAINTAINER') }),
  onbuild: parseOnbuild,
  run: parseRun,
  shell: parseShell,
  stopsignal: (node) => ({ ...common(node), kind: 'stopsignal', signal: exactlyOne(node, 'STOPSIGNAL') }),
  user: (node) => ({ ...common(node), kind: 'user', user: single(node, 'USER') }),
  volume: parseVolume,
  workdir: (node) => ({ ...common(node), kind: 'workdir', path: single(node, 'WORKDIR') }),
};

/** Every keyword there is, in upper case. */
const KEYWORDS: readonly string[] = Object.keys(PARSERS).map((name) => name.toUpperCase());

/** What an instruction says (Dockerfile reference, one section each). Throws a DockerfileError with its lines. */
export function parseInstruction(node: InstructionNode): Instruction | FromInstruction {
  try {
    const keyword = node.keyword.toLowerCase();
    const parser = Object.hasOwn(PARSERS, keyword) ? PARSERS[keyword] : undefined;
    if (parser === undefined) {
      throw new DockerfileError(`unknown instruction: ${node.keyword}${didYouMean(node.keyword, KEYWORDS, false)}`);
    }
    return parser(node);
  } catch (error) {
    throw withLocation(error, node.location);
  }
}

function exactlyOne(node: InstructionNode, keyword: string): string {
  const [argument] = node.args;
  if (argument === undefined || node.args.length !== 1) {
    throw new DockerfileError(`${keyword} requires exactly one argument`);
  }
  return argument;
}

function single(node: InstructionNode, keyword: string): string {
  const argument = exactlyOne(node, keyword);
  new Flags(node.flags);
  return argument;
}

function pairs(node: InstructionNode, keyword: string): InstructionNode['pairs'] {
  new Flags(node.flags);
  if (node.pairs.length === 0) throw new DockerfileError(`${keyword} requires at least one argument`);
  if (node.pairs.some(({ name }) => name === '')) throw new DockerfileError(`${keyword} names can not be blank`);
  return node.pairs;
}

function parseArg(node: InstructionNode): Instruction {
  atLeastOne(node, 'ARG');
  const args = node.args.map((word): ArgDefinition => {
    const at = word.indexOf('=');
    if (at === 0) throw new DockerfileError('ARG names can not be blank');
    const name = at < 0 ? word : word.slice(0, at);
    return { name, value: at < 0 ? undefined : word.slice(at + 1), description: description(node.comments, name) };
  });
  return { ...common(node), kind: 'arg', args };
}

function parseExpose(node: InstructionNode): Instruction {
  atLeastOne(node, 'EXPOSE');
  new Flags(node.flags);
  return { ...common(node), kind: 'expose', ports: node.args.toSorted() };
}

function parseFrom(node: InstructionNode): FromInstruction {
  const [base = '', as, writtenName = ''] = node.args;
  const named = node.args.length === 3 && as?.toLowerCase() === 'as';
  if (!named && node.args.length !== 1) throw new DockerfileError('FROM requires either one or three arguments');
  const name = writtenName.toLowerCase();
  if (named && !STAGE_NAME.test(name)) {
    throw new DockerfileError(
      `invalid name for build stage: ${JSON.stringify(writtenName)}, name can't start with a number or contain symbols`,
    );
  }
  const platform = new Flags(node.flags, { platform: 'text' }).text('platform');
  return {
    ...common(node),
    kind: 'from',
    base,
    name,
    writtenName,
    platform,
    description: description(node.comments, name),
  };
}

function parseOnbuild(node: InstructionNode): Instruction {
  atLeastOne(node, 'ONBUILD');
  new Flags(node.flags);
  const trigger = node.args[0]?.toUpperCase() ?? '';
  if (trigger === 'ONBUILD') throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === 'MAINTAINER' || trigger === 'FROM') {
    throw new DockerfileError(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  const bodies = node.heredocs.map(({ content, name }) => `\n${content}${name}`);
  const expression = node.original.replace(/^\s*ONBUILD\s*/i, '') + bodies.join('');
  return { ...common(node), kind: 'onbuild', expression };
}

function parseShell(node: InstructionNode): Instruction {
  new Flags(node.flags);
  atLeastOne(node, 'SHELL');
  if (!node.json) throw new DockerfileError('SHELL requires the arguments to be in JSON form');
  return { ...common(node), kind: 'shell', shell: node.args };
}

function parseVolume(node: InstructionNode): Instruction {
  atLeastOne(node, 'VOLUME');
  new Flags(node.flags);
  const paths = node.args.map((path) => path.trim());
  if (paths.includes('')) throw new DockerfileError('VOLUME specified can not be an empty string');
  return { ...common(node), kind: 'volume', paths };
}

/** `# name what it is for` above its definition. */
function description(comments: readonly string[], name: string): string {
  const line = name === '' ? undefined : comments.find((comment) => comment.startsWith(`${name} `));
  return line?.slice(name.length + 1) ?? '';
}
