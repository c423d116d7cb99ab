import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { runTool } from '@wharf/linux/spawn';
import { findProgram } from '../runtime/find-program.ts';
import type { OciRuntime } from '../runtime/runtime.ts';

const PROBE_MS = 5000;

/**
 * Why there are no checkpoints: this version makes none, and what the host lacks for them is said as well, since that is the
 * longer way. `verb` is what was asked for.
 */
export async function noCheckpoints(verb: string, runtime: OciRuntime): Promise<WharfError> {
  const lacking = [...(await lacksOfRuntime(runtime)), ...(await lacksOfCriu())];
  const host = lacking.length === 0 ? 'this host has what they need' : `this host also lacks: ${lacking.join('; ')}`;
  return new WharfError(
    'not-implemented',
    `Cannot ${verb}: checkpoints are not part of this version of wharf (${host})`,
  );
}

async function lacksOfRuntime({ name, path }: OciRuntime): Promise<readonly string[]> {
  if (!path.endsWith('crun')) return [];
  const output = await outputOf(path, ['--version']);
  return output.includes('+CRIU') ? [] : [`CRIU in the runtime ${name} (${path} --version shows no +CRIU)`];
}

async function lacksOfCriu(): Promise<readonly string[]> {
  const criu = findProgram('criu');
  if (criu === undefined) return ['the program criu (apt-get install criu)'];
  const output = await outputOf(criu, ['check']);
  if (output.includes('Looks good')) return [];
  const reason = output.split('\n').find((line) => line !== '') ?? 'no answer';
  return [`a criu that works with this kernel (${criu} check: ${reason})`];
}

async function outputOf(path: string, words: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await runTool({ path, argv: [path, ...words], timeoutMs: PROBE_MS });
    return `${stdout.toString()}${stderr.toString()}`;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES')) return '';
    return messageOf(error);
  }
}
