import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import type { SeccompProfile } from './default-profile.ts';

/** crun's annotation for a filter that is compiled already, in base64 (crun.1, "run.oci.seccomp_bpf_data"). */
export const COMPILED_FILTER_ANNOTATION = 'run.oci.seccomp_bpf_data';

/** A filter has at most 4096 instructions of 8 bytes each (BPF_MAXINSNS). */
const FILTER_LIMIT_BYTES = 4096 * 8;

/**
 * Seccomp filters as the kernel takes them, by the profile they were compiled from.
 *
 * libseccomp needs some 20 ms for the default profile, two thirds of a container's whole start. crun leaves the program it
 * loaded in its state directory, so the first container with a profile pays, and later ones hand the program back to crun.
 * The profile itself stays in the specification: a crun that does not know the annotation compiles it as ever.
 *
 * The programs lie on the exec root: they belong to this boot's kernel and the libseccomp of now.
 */
export class CompiledFilters {
  readonly #directory: string;
  readonly #known = new Map<string, string>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** The compiled program in base64; `undefined` until `learn` has seen one of this profile. */
  find(profile: SeccompProfile): string | undefined {
    const key = keyOf(profile);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const program = readProgram(join(this.#directory, key));
    if (program !== undefined) this.#known.set(key, program);
    return program;
  }

  /** Keeps the program a runtime has written to `path` for this profile. No file, or none of a filter's form: nothing kept. */
  learn(profile: SeccompProfile, path: string): void {
    const key = keyOf(profile);
    if (this.#known.has(key)) return;
    const program = readProgram(path);
    if (program === undefined) return;
    const target = join(this.#directory, key);
    writeFileSync(`${target}.new`, Buffer.from(program, 'base64'), { mode: 0o600 });
    renameSync(`${target}.new`, target);
    this.#known.set(key, program);
  }
}

function keyOf(profile: SeccompProfile): string {
  return createHash('sha256').update(JSON.stringify(profile)).digest('hex');
}

function readProgram(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    const whole = bytes.length > 0 && bytes.length <= FILTER_LIMIT_BYTES && bytes.length % 8 === 0;
    return whole ? bytes.toString('base64') : undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
