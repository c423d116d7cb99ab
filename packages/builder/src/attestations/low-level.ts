import { createHash } from 'node:crypto';
import { formatCanonical, parseReference, redact, withDefaultTag } from '@wharf/kit';
import type { Base, CopyAction, FileVertex, RunVertex, StepMount, Vertex } from '../plan/vertex.ts';
import { inputsOf } from '../solver/solver.ts';

/** A vertex in the words of BuildKit's low-level build graph (`solver/pb/ops.proto`), as its JSON has them. */
export type LowLevelOp =
  | { readonly kind: 'source'; readonly body: { readonly identifier: string; readonly attrs?: object } }
  | { readonly kind: 'exec'; readonly body: ExecBody }
  | { readonly kind: 'file'; readonly body: { readonly actions: readonly object[] } };

export interface ExecBody {
  readonly meta: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user?: string;
    readonly hostname?: string;
  };
  readonly mounts: readonly object[];
  readonly network?: number;
  readonly security?: number;
  readonly secretenv?: readonly object[];
}

/** One vertex of a graph. */
export interface LowLevelStep {
  readonly vertex: Vertex;
  readonly op: LowLevelOp;
  /** Of its content and of what it stands on. */
  readonly digest: string;
  /** Numbers of the steps it takes, in their order; the empty tree is none. */
  readonly inputs: readonly number[];
}

const MOUNT_TYPES = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;
const SHARING = { shared: 0, private: 1, locked: 2 } as const;
const NETWORKS = { default: 0, host: 1, none: 2 } as const;
const NO_INPUT = -1;

/** The graph below a tree, each vertex behind those it stands on. */
export function lowLevelSteps(target: Base): readonly LowLevelStep[] {
  const steps: LowLevelStep[] = [];
  const numbers = new Map<Vertex, number>();
  const byDigest = new Map<string, number>();
  const visit = (vertex: Vertex): number => {
    const known = numbers.get(vertex);
    if (known !== undefined) return known;
    const inputs = inputsOf(vertex).flatMap((input) => (input === undefined ? [] : [visit(input)]));
    const op = lowLevelOp(vertex);
    const text = JSON.stringify([op, inputs.map((input) => steps[input]?.digest)]);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    // Two stages from one image have one source.
    const same = byDigest.get(digest);
    numbers.set(vertex, same ?? steps.length);
    if (same !== undefined) return same;
    byDigest.set(digest, steps.length);
    steps.push({ vertex, op, digest, inputs });
    return steps.length - 1;
  };
  if (target !== undefined) visit(target);
  return steps;
}

/** One vertex alone. What a build lends its steps is named, never shown. */
export function lowLevelOp(vertex: Vertex): LowLevelOp {
  switch (vertex.kind) {
    case 'image': {
      const { reference, digest } = vertex.image;
      const name = formatCanonical(withDefaultTag(parseReference(reference)));
      const pinned = digest === undefined || name.includes('@') ? name : `${name}@${digest}`;
      return { kind: 'source', body: { identifier: `docker-image://${pinned}` } };
    }
    case 'context':
      return { kind: 'source', body: { identifier: `local://${vertex.context}` } };
    case 'http': {
      const attrs = vertex.checksum === '' ? {} : { attrs: { 'http.checksum': vertex.checksum } };
      return { kind: 'source', body: { identifier: redact(vertex.url), ...attrs } };
    }
    case 'git': {
      const { remote, ref } = vertex.reference;
      const place = redact(remote).replace(/^[a-z]+:\/\//, '');
      const attrs = { 'git.fullurl': redact(remote) };
      return { kind: 'source', body: { identifier: `git://${place}${ref === '' ? '' : `#${ref}`}`, attrs } };
    }
    case 'inline':
      return { kind: 'file', body: { actions: vertex.files.map(makeFile) } };
    case 'run':
      return { kind: 'exec', body: execBody(vertex) };
    case 'file':
      return { kind: 'file', body: { actions: fileActions(vertex) } };
  }
}

function makeFile({
  name,
  data,
  mode,
}: {
  readonly name: string;
  readonly data: string;
  readonly mode: number;
}): object {
  const mkfile = { path: `/${name}`, mode, data: Buffer.from(data).toString('base64') };
  return { input: NO_INPUT, secondaryInput: NO_INPUT, output: 0, Action: { mkfile } };
}

function execBody(vertex: RunVertex): ExecBody {
  const { args, env, cwd, user, hostname, network } = vertex;
  const secretEnv = vertex.mounts.flatMap(({ type, env: name, id, required }) =>
    type === 'secret' && name !== undefined ? [{ ID: id, name: name || id, optional: !required }] : [],
  );
  const next = inputCounter();
  const root = { input: next(vertex.base), dest: '/', output: 0 };
  const mounts = vertex.mounts.map((mount) => mountBody(mount, next(mount.sourceVertex)));
  return {
    meta: { args, env, cwd, ...(user === '' ? {} : { user }), ...(hostname === '' ? {} : { hostname }) },
    mounts: [root, ...mounts],
    ...(network === 'default' ? {} : { network: NETWORKS[network] }),
    ...(vertex.insecure ? { security: 1 } : {}),
    ...(secretEnv.length > 0 ? { secretenv: secretEnv } : {}),
  };
}

/** Numbers the inputs of a vertex in the order of `inputsOf`, leaving out empty trees. */
function inputCounter(): (input: Base) => number {
  let count = 0;
  return (input) => {
    if (input === undefined) return NO_INPUT;
    count += 1;
    return count - 1;
  };
}

function mountBody(mount: StepMount, input: number): object {
  const { type, target, source, readOnly, id, sharing, required, sizeBytes, mode, uid, gid } = mount;
  const owned = { uid: uid ?? 0, gid: gid ?? 0, ...(mode === undefined ? {} : { mode }), optional: !required };
  return {
    ...{ input, dest: target, output: NO_INPUT, mountType: MOUNT_TYPES[type] },
    ...(source === '' || type === 'secret' ? {} : { selector: source }),
    ...(readOnly ? { readonly: true } : {}),
    ...(type === 'cache' ? { cacheOpt: { ID: id || target, sharing: SHARING[sharing ?? 'shared'] } } : {}),
    ...(type === 'tmpfs' && sizeBytes > 0 ? { TmpfsOpt: { size: sizeBytes } } : {}),
    ...(type === 'secret' ? { secretOpt: { ID: secretId(mount), ...owned } } : {}),
    ...(type === 'ssh' ? { SSHOpt: { ID: id || 'default', ...owned } } : {}),
  };
}

/** The name a secret mount asks the client for. */
export function secretId({ id, source, target }: Pick<StepMount, 'id' | 'source' | 'target'>): string {
  return id || source || (target.split('/').at(-1) ?? '');
}

function fileActions({ base, actions }: FileVertex): readonly object[] {
  const next = inputCounter();
  let below = next(base);
  const inputs = [base, ...actions.map((action) => (action.kind === 'copy' ? action.source : undefined))];
  const count = inputs.filter((input) => input !== undefined).length;
  return actions.map((action, index) => {
    const input = below;
    below = count + index;
    const output = index === actions.length - 1 ? 0 : NO_INPUT;
    if (action.kind === 'copy') {
      return { input, secondaryInput: next(action.source), output, Action: { copy: copyBody(action) } };
    }
    const mkdir = { path: action.path, mode: action.mode, makeParents: true };
    return { input, secondaryInput: NO_INPUT, output, Action: { mkdir } };
  });
}

function copyBody(action: CopyAction): object {
  const octal = /^[0-7]+$/.test(action.mode) ? Number.parseInt(action.mode, 8) : undefined;
  return {
    ...{ src: action.path, dest: action.destination, mode: octal ?? -1, createDestPath: true },
    ...(action.followLinks ? { followSymlink: true } : {}),
    ...(action.contentsOnly ? { dirCopyContents: true } : {}),
    ...(action.unpack ? { attemptUnpackDockerCompatibility: true } : {}),
    ...(action.wildcards ? { allowWildcard: true } : {}),
    ...(action.include.length > 0 ? { include_patterns: action.include } : {}),
    ...(action.exclude.length > 0 ? { exclude_patterns: action.exclude } : {}),
    ...(action.required.length > 0 ? { required_paths: action.required } : {}),
    ...(action.mode !== '' && octal === undefined ? { modeStr: action.mode } : {}),
  };
}
