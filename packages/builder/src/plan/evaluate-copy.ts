import { posix } from 'node:path';
import { redact } from '@wharf/kit';
import type { AddInstruction, CopyInstruction } from '../dockerfile/instructions/types.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import { type GitReference, parseGitReference } from '../sources/git/git-reference.ts';
import { absolute, hasWildcards, sourcePath } from './paths.ts';
import type { Base, CopyAction, GitVertex, InlineVertex, Vertex } from './vertex.ts';

interface CopyFacts {
  readonly workingDir: string;
  /** The build context, or what --from names. */
  readonly source: Base;
}

/** The actions of a COPY or ADD whose words are expanded. Throws a DockerfileError for a source it cannot have. */
export function copyActions(instruction: AddInstruction | CopyInstruction, facts: CopyFacts): readonly CopyAction[] {
  const destination = absolute(facts.workingDir, instruction.destination);
  checkMode(instruction.chmod);
  checkChecksum(instruction);
  const shared = {
    kind: 'copy' as const,
    destination,
    owner: instruction.chown,
    mode: instruction.chmod,
    exclude: instruction.exclude,
  };
  const plain = { wildcards: false, contentsOnly: false, followLinks: false, include: [], required: [] };
  const fromContext = instruction.sources.map((source): CopyAction => {
    const remote = remoteSource(instruction, source);
    if (remote === undefined) return { ...shared, ...localSource(instruction, source, facts.source) };
    if (remote.kind === 'git')
      return { ...shared, ...plain, source: remote, path: '/', contentsOnly: true, unpack: false };
    const unpack = instruction.kind === 'add' && instruction.unpack === true;
    return { ...shared, ...plain, source: remote, path: remote.filename, unpack };
  });
  const inline = instruction.inline.map(({ name, data }): CopyAction => {
    const vertex: InlineVertex = {
      kind: 'inline',
      files: [{ name, data, mode: 0o644 }],
      name: '[internal] preparing inline document',
    };
    return { ...shared, ...plain, source: vertex, path: name, unpack: false };
  });
  return [...fromContext, ...inline];
}

function remoteSource(
  instruction: AddInstruction | CopyInstruction,
  source: string,
): Extract<Vertex, { kind: 'http' | 'git' }> | undefined {
  const reference = parseGitReference(source);
  if (reference !== undefined) {
    if (instruction.kind === 'copy') throw new DockerfileError("source can't be a git ref for COPY");
    return gitSource(instruction, source, reference);
  }
  if (!/^https?:\/\//.test(source)) return undefined;
  if (instruction.kind === 'copy') throw new DockerfileError("source can't be a URL for COPY");
  return {
    kind: 'http',
    url: source,
    filename: filenameOf(source),
    checksum: instruction.checksum,
    name: `ADD ${source}`,
  };
}

function gitSource(instruction: AddInstruction, source: string, reference: GitReference): GitVertex {
  const { checksum } = instruction;
  if (checksum !== '' && reference.checksum !== '' && checksum !== reference.checksum) {
    throw new DockerfileError(`checksum mismatch ${JSON.stringify(checksum)} != ${JSON.stringify(reference.checksum)}`);
  }
  const keepGitDir = instruction.keepGitDir ?? reference.keepGitDir ?? false;
  const wanted = checksum === '' ? reference : { ...reference, checksum };
  return { kind: 'git', reference: wanted, keepGitDir, name: `ADD ${redact(source)}` };
}

function filenameOf(url: string): string {
  const base = URL.canParse(url) ? posix.basename(decodeURIComponent(new URL(url).pathname)) : '';
  return base === '' || base === '.' || base === '/' ? '__unnamed__' : base;
}

function localSource(
  instruction: AddInstruction | CopyInstruction,
  written: string,
  source: Base,
): Omit<CopyAction, 'kind' | 'destination' | 'owner' | 'mode' | 'exclude'> {
  const unpack = instruction.kind === 'add' && (instruction.unpack ?? true);
  const shared = { source, wildcards: true, contentsOnly: true, followLinks: true, unpack };
  if (instruction.kind !== 'copy' || !instruction.parents) {
    return { ...shared, path: sourcePath(written), include: [], required: [] };
  }
  const pivot = written.indexOf('/./');
  const root = pivot < 0 ? '/' : written.slice(0, pivot);
  const pattern = posix.resolve('/', pivot < 0 ? written : written.slice(pivot + 3)).slice(1);
  const required = hasWildcards(root) || hasWildcards(pattern) ? [] : [posix.join('/', root, pattern)];
  return { ...shared, path: sourcePath(root), include: [pattern], required };
}

function checkMode(mode: string): void {
  if (mode === '') return;
  if (/^[0-7]+$/.test(mode) && Number.parseInt(mode, 8) <= 0o7777) return;
  if (/^[ugoa]*([-+=][rwxXstugo]*)+(,[ugoa]*([-+=][rwxXstugo]*)+)*$/.test(mode)) return;
  throw new DockerfileError(`invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`);
}

function checkChecksum(instruction: AddInstruction | CopyInstruction): void {
  if (instruction.kind === 'copy' || instruction.checksum === '') return;
  if (instruction.sources.length !== 1) throw new DockerfileError("checksum can't be specified for multiple sources");
  const [source = ''] = instruction.sources;
  if (parseGitReference(source) !== undefined) {
    if (/^[0-9a-f]{7,64}$/.test(instruction.checksum)) return;
    throw new DockerfileError(`invalid checksum ${instruction.checksum} for Git source, expected a commit hash`);
  }
  if (!/^https?:\/\//.test(source)) throw new DockerfileError('checksum requires HTTP(S) or Git sources');
  if (!/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(instruction.checksum)) {
    throw new DockerfileError('invalid checksum digest format');
  }
}

/** `COPY --chown=1 a b`, the way history shows it. */
export function copyHistory(instruction: AddInstruction | CopyInstruction): string {
  const flags = [
    ...(instruction.kind === 'copy' && instruction.parents ? ['--parents'] : []),
    ...(instruction.chown === '' ? [] : [`--chown=${instruction.chown}`]),
    ...(instruction.chmod === '' ? [] : [`--chmod=${instruction.chmod}`]),
  ];
  const inline = instruction.inline.map(({ name }) => `<<${name}`);
  const words = [instruction.kind.toUpperCase(), ...flags, ...instruction.sources, ...inline, instruction.destination];
  return `${words.join(' ')} # buildkit`;
}
