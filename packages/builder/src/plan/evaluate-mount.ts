import { posix } from 'node:path';
import { parseRunMount } from '../dockerfile/instructions/run-mount.ts';
import { DockerfileError, type LineRange } from '../dockerfile/location.ts';
import type { StageNotes } from './stage-notes.ts';
import type { Base, StepMount } from './vertex.ts';

const SECRETS_DIR = '/run/secrets';
const AGENT_DIR = '/run/buildkit';

export interface MountFacts {
  readonly workingDir: string;
  /** Put before the ids of caches, so that builds share them only among themselves. */
  readonly cacheNamespace: string;
  readonly location: LineRange;
  readonly notes: StageNotes;
  readonly expand: (word: string) => string;
  readonly treeOf: (name: string, mountedAt?: string) => Promise<Base>;
}

/** The mounts of a RUN with every word expanded and every target absolute. Throws a DockerfileError for one it cannot have. */
export async function stepMounts(flags: readonly string[], facts: MountFacts): Promise<StepMount[]> {
  const mounts: StepMount[] = [];
  let agents = 0;
  for (const text of flags) {
    const mount = await stepMount(text, facts, agents);
    if (mount.type === 'ssh') agents += 1;
    mounts.push(mount);
  }
  return mounts;
}

async function stepMount(text: string, facts: MountFacts, agents: number): Promise<StepMount> {
  const written = parseRunMount(text, facts.expand);
  const at = (path: string) => posix.resolve('/', facts.workingDir, path);
  const { location, notes } = facts;
  switch (written.type) {
    case 'secret': {
      const id = written.source || written.id || posix.basename(written.target);
      notes.request('secrets', id, { required: written.required, location });
      const target =
        written.target === '' && written.env === undefined
          ? posix.join(SECRETS_DIR, posix.basename(id))
          : written.target;
      return { ...written, id, target: target === '' ? '' : at(target), sourceVertex: undefined };
    }
    case 'ssh': {
      if (written.source !== '') throw new DockerfileError('ssh does not support source');
      const id = written.id || 'default';
      notes.request('ssh', id, { required: written.required, location });
      const target = at(written.target || posix.join(AGENT_DIR, `ssh_agent.${agents}`));
      return { ...written, id, target, sourceVertex: undefined };
    }
    default: {
      const target = at(written.target);
      if (target === '/') throw new DockerfileError('invalid mount target "/"');
      const isCache = written.type === 'cache';
      const wantsSource = written.type === 'bind' || (isCache && written.from !== '');
      const id = isCache ? namespaced(facts.cacheNamespace, written.id || posix.normalize(written.target)) : written.id;
      return {
        ...written,
        id,
        target,
        sourceVertex: wantsSource ? await facts.treeOf(written.from, target) : undefined,
      };
    }
  }
}

function namespaced(namespace: string, id: string): string {
  return namespace === '' ? id : `${namespace}/${id}`;
}
