import { WharfError } from '@wharf/kit';

export interface ProvenanceOptions {
  /** How much it says: build arguments, secrets' names and steps only in `max`. */
  readonly mode: 'min' | 'max';
  /** Of the SLSA provenance predicate. */
  readonly version: 'v1' | 'v0.2';
  readonly builderId: string;
  readonly reproducible: boolean;
  /** Nobody asked for it: it comes along where there is a place for it, and says nothing of the run that made the result. */
  readonly inlineOnly: boolean;
  readonly filename: string;
}

export interface SbomOptions {
  readonly filename: string;
}

/** The statements that are to be made about a result. */
export interface AttestOptions {
  readonly provenance: ProvenanceOptions | undefined;
  readonly sbom: SbomOptions | undefined;
}

const OWN_GENERATORS = ['', 'wharf', 'docker/buildkit-syft-scanner', 'docker.io/docker/buildkit-syft-scanner'];

/**
 * Reads what statements a client wants (BuildKit, `attest:provenance=…` and `attest:sbom=…`, or the build arguments
 * `BUILDKIT_ATTEST_PROVENANCE` and `BUILDKIT_ATTEST_SBOM`). Throws `invalid-argument` for what is not known, and `not-implemented` for
 * a generator that would have to be fetched.
 */
export function attestOptions(attrs: Readonly<Record<string, string>>): AttestOptions {
  const wanted = new Map<string, ReadonlyMap<string, string>>();
  for (const [key, value] of Object.entries(attrs)) {
    const match = /^(?:attest:|build-arg:BUILDKIT_ATTEST_)(.+)$/.exec(key);
    if (match?.[1] !== undefined) wanted.set(match[1].toLowerCase(), fieldsOf(value));
  }
  const unknown = [...wanted.keys()].find((type) => type !== 'provenance' && type !== 'sbom');
  if (unknown !== undefined) throw new WharfError('invalid-argument', `unknown attestation type "${unknown}"`);
  const [provenance, sbom] = [wanted.get('provenance'), wanted.get('sbom')];
  return {
    provenance: provenance === undefined || isOff(provenance) ? undefined : provenanceOptions(provenance),
    sbom: sbom === undefined || isOff(sbom) ? undefined : sbomOptions(sbom),
  };
}

function provenanceOptions(fields: ReadonlyMap<string, string>): ProvenanceOptions {
  const mode = fields.get('mode') ?? 'max';
  if (mode !== 'min' && mode !== 'max' && mode !== 'full') {
    throw new WharfError('invalid-argument', `invalid mode "${mode}": use min or max`);
  }
  const version = fields.get('version') ?? 'v1';
  if (version !== 'v1' && version !== 'v0.2') {
    throw new WharfError('invalid-argument', `invalid provenance SLSA version: ${version}: use v1 or v0.2`);
  }
  return {
    ...{ mode: mode === 'min' ? 'min' : 'max', version },
    builderId: fields.get('builder-id') ?? '',
    reproducible: isTrue(fields.get('reproducible')),
    inlineOnly: isTrue(fields.get('inline-only')),
    filename: fileName(fields, 'provenance.json'),
  };
}

function sbomOptions(fields: ReadonlyMap<string, string>): SbomOptions {
  const generator = fields.get('generator') ?? '';
  if (!OWN_GENERATORS.includes(generator.replace(/[:@][^/]*$/, ''))) {
    throw new WharfError(
      'not-implemented',
      `Cannot make an SBOM with the generator "${generator}": files are read by a scanner of this builder's own; leave "generator" out`,
    );
  }
  return { filename: fileName(fields, 'sbom.spdx.json') };
}

function fileName(fields: ReadonlyMap<string, string>, usual: string): string {
  const name = fields.get('filename') ?? usual;
  if (!/^[^/\0]+$/.test(name) || name === '.' || name === '..') {
    throw new WharfError('invalid-argument', `Cannot write a statement to "${name}": it is no file name`);
  }
  return name;
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const [key = '', value = ''] = splitOnce(field.replace(/^"(.*)"$/, '$1'));
    if (key !== '') fields.set(key, value);
  }
  return fields;
}

function splitOnce(field: string): readonly string[] {
  const at = field.indexOf('=');
  return at < 0 ? [field] : [field.slice(0, at), field.slice(at + 1)];
}

/** The classic build argument takes a truth value in place of fields. */
function isOff(fields: ReadonlyMap<string, string>): boolean {
  return isTrue(fields.get('disabled')) || fields.has('false') || fields.has('0');
}

function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1' || value === 't' || value === 'T' || value === 'TRUE' || value === 'True';
}
