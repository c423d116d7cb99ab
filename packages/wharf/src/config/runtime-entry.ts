import { WharfError } from '@wharf/kit';
import type { RuntimeChoice } from './raw-values.ts';

/** Docker's name for runc behind containerd; scripts pass it to `--runtime`. */
export const RUNC_SHIM = 'io.containerd.runc.v2';

/** Programs with the OCI command line behind containerd's shims, and which of a shim's options says where the program is. */
const PROGRAMS: Readonly<Record<string, { readonly program: string; readonly pathOption: string }>> = {
  [RUNC_SHIM]: { program: 'runc', pathOption: 'BinaryName' },
  'io.containerd.runsc.v1': { program: 'runsc', pathOption: 'BinaryName' },
};

/**
 * One entry of daemon.json's `runtimes`: `path` and `runtimeArgs`, or dockerd's `runtimeType` and `options` where the type stands
 * for a program with the OCI command line. Throws `invalid-argument` in dockerd's words where it has them.
 */
export function runtimeEntry(name: string, entry: Readonly<Record<string, unknown>>): RuntimeChoice {
  const { path = '', runtimeArgs = [], runtimeType = '', options = {} } = entry;
  const refuse = (why: string) => new WharfError('invalid-argument', `runtime ${name}: ${why}`);
  if (typeof path !== 'string' || typeof runtimeType !== 'string')
    throw refuse('path and runtimeType have to be strings');
  if (!isTexts(runtimeArgs)) throw refuse('runtimeArgs has to be a list of strings');
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw refuse('options has to be an object');
  if (name === 'runc') throw new WharfError('invalid-argument', "runtime name 'runc' is reserved");
  if (path === '' && runtimeType === '') throw refuse('either a runtimeType or a path must be configured');
  if (path !== '') {
    if (runtimeType !== '') throw refuse('cannot configure both path and runtimeType for the same runtime');
    if (Object.keys(options).length > 0) throw refuse('options cannot be used with a path runtime');
    return { path, runtimeArgs };
  }
  if (runtimeArgs.length > 0) throw refuse('args cannot be used with a runtimeType runtime');
  const known = PROGRAMS[runtimeType];
  if (known === undefined) {
    throw refuse(
      `runtimeType ${runtimeType} is a containerd shim, and there is no containerd here: give the "path" of its OCI program`,
    );
  }
  const { [known.pathOption]: program = known.program, ...others } = options as Readonly<Record<string, unknown>>;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw refuse(`option ${other} of ${runtimeType} is not supported: use "path" and "runtimeArgs"`);
  if (typeof program !== 'string') throw refuse(`option ${known.pathOption} has to be a string`);
  return { path: program, runtimeArgs: [] };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
