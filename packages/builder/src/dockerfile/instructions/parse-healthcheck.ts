import { parseGoDuration } from '@wharf/kit';
import type { InstructionNode } from '../ast.ts';
import { DockerfileError } from '../location.ts';
import { atLeastOne, common } from './common.ts';
import { Flags } from './flags.ts';
import type { Healthcheck, Instruction } from './types.ts';

const INTERVALS = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;
const MS_IN_NS = 1_000_000n;

/** HEALTHCHECK; times in nanoseconds, as the image's configuration has them. */
export function parseHealthcheck(node: InstructionNode): Instruction {
  atLeastOne(node, 'HEALTHCHECK');
  const type = node.args[0]?.toUpperCase() ?? '';
  if (type === 'NONE') {
    if (node.args.length > 1) throw new DockerfileError('HEALTHCHECK NONE takes no arguments');
    return { ...common(node), kind: 'healthcheck', healthcheck: { Test: ['NONE'] } };
  }
  const flags = new Flags(node.flags, {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  });
  if (type !== 'CMD') throw new DockerfileError(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  const command = node.args.slice(1);
  if (command.length === 0) throw new DockerfileError('Missing command after HEALTHCHECK CMD');
  const healthcheck: Healthcheck = {
    Test: [node.json ? 'CMD' : 'CMD-SHELL', ...command],
    ...intervals(flags),
    ...retries(flags),
  };
  return { ...common(node), kind: 'healthcheck', healthcheck };
}

function intervals(flags: Flags): Partial<Healthcheck> {
  const found: { -readonly [Key in keyof Healthcheck]?: Healthcheck[Key] } = {};
  for (const [flag, field] of Object.entries(INTERVALS)) {
    const text = flags.text(flag);
    const ns = text === '' ? 0n : duration(text);
    if (ns === 0n) continue;
    if (ns < MS_IN_NS) throw new DockerfileError(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
    found[field] = Number(ns);
  }
  return found;
}

function duration(text: string): bigint {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw new DockerfileError(error instanceof Error ? error.message : String(error));
  }
}

function retries(flags: Flags): Partial<Healthcheck> {
  const text = flags.text('retries');
  if (text === '') return {};
  if (!/^[+-]?\d+$/.test(text)) {
    throw new DockerfileError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const count = Number(text);
  if (count < 0) throw new DockerfileError(`--retries cannot be negative (${count})`);
  if (count >= 2 ** 31)
    throw new DockerfileError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return count === 0 ? {} : { Retries: count };
}
