import type { InstructionNode } from '../ast.ts';
import { DockerfileError } from '../location.ts';
import { commandLine, common } from './common.ts';
import { Flags } from './flags.ts';
import { parseRunMount } from './run-mount.ts';
import type { RunInstruction } from './types.ts';

const NETWORKS = ['default', 'none', 'host'] as const;
const SECURITY = ['sandbox', 'insecure'] as const;

export function parseRun(node: InstructionNode): RunInstruction {
  const flags = new Flags(node.flags, { mount: 'list', network: 'text', security: 'text', device: 'list' });
  const network = flags.has('network') ? flags.text('network') : 'default';
  const security = flags.has('security') ? flags.text('security') : 'sandbox';
  return {
    ...common(node),
    ...commandLine(node),
    kind: 'run',
    mountFlags: flags.list('mount'),
    // Only the form for now: what may hold variables is read again when they have values.
    mounts: flags.list('mount').map((text) => parseRunMount(text)),
    network: oneOf(network, NETWORKS, `invalid network mode ${JSON.stringify(network)}`),
    security: oneOf(security, SECURITY, `security ${JSON.stringify(security)} is not valid`),
    devices: flags.list('device'),
  };
}

function oneOf<T extends string>(value: string, allowed: readonly T[], message: string): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new DockerfileError(message);
  return found;
}
