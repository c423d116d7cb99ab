import { type Digest, redact } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import type { BuildPlan } from '../plan/plan.ts';
import type { Base, Vertex } from '../plan/vertex.ts';
import { inputsOf, type SolveObserver } from '../solver/solver.ts';
import type { Result } from '../solver/tree.ts';
import { secretId } from './low-level.ts';
import { imageUrl } from './package-url.ts';

/** Something that went into a build, and what it was then (in-toto attestation framework, "ResourceDescriptor"). */
export interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** What a result was made of. */
export interface Ingredients {
  readonly materials: readonly Material[];
  /** Directories of the client. */
  readonly locals: readonly string[];
  readonly secrets: readonly { readonly id: string; readonly optional: boolean }[];
  readonly agents: readonly { readonly id: string; readonly optional: boolean }[];
  /** Some command could reach a network. */
  readonly hasNetwork: boolean;
}

/** Takes down, while a build runs, what its sources came to. */
export class BuildCapture {
  readonly #pins = new Map<Vertex, string>();
  readonly #results = new Map<Vertex, Result>();

  /** An observer that is told what this one is to see too. */
  watch(observer: SolveObserver): SolveObserver {
    return {
      started: (vertex) => observer.started(vertex),
      output: (vertex, stream, chunk) => observer.output(vertex, stream, chunk),
      done: (vertex, outcome) => {
        const { result } = outcome;
        if (result !== undefined) this.#results.set(vertex, result);
        if (result?.kind === 'directory' && result.pin !== undefined) this.#pins.set(vertex, result.pin);
        observer.done(vertex, outcome);
      },
    };
  }

  /** What a vertex came to; there for as long as the build goes on. */
  result(vertex: Base): Result | undefined {
    return vertex === undefined ? undefined : this.#results.get(vertex);
  }

  /** What the build context came to; undefined where no step read it. */
  get context(): Result | undefined {
    return [...this.#results].find(
      ([{ kind, ...vertex }]) => kind === 'context' && 'context' in vertex && vertex.context === 'context',
    )?.[1];
  }

  /** What the result of a plan was made of, images it only names among it. */
  ingredients(plan: BuildPlan): Ingredients {
    const found = new Finder(this.#pins);
    for (const stage of plan.stages) {
      if (stage.image !== undefined) found.visit(stage.image);
      if (stage.tree !== undefined) found.visit(stage.tree);
    }
    return found;
  }
}

class Finder implements Ingredients {
  readonly #pins: ReadonlyMap<Vertex, string>;
  readonly #seen = new Set<Vertex>();
  readonly #materials = new Map<string, Material>();
  readonly #locals = new Set<string>();
  readonly #secrets = new Map<string, boolean>();
  readonly #agents = new Map<string, boolean>();
  hasNetwork = false;

  constructor(pins: ReadonlyMap<Vertex, string>) {
    this.#pins = pins;
  }

  visit(vertex: Vertex): void {
    if (this.#seen.has(vertex)) return;
    this.#seen.add(vertex);
    for (const input of inputsOf(vertex)) if (input !== undefined) this.visit(input);
    const pin = this.#pins.get(vertex);
    if (vertex.kind === 'image') {
      const { reference, platform, digest } = vertex.image;
      this.#add(imageMaterial(reference, platform, digest));
    } else if (vertex.kind === 'http') {
      this.#add({ uri: redact(vertex.url), ...digestSet(pin) });
    } else if (vertex.kind === 'git') {
      const { remote, ref } = vertex.reference;
      const uri = `${redact(remote)}${ref === '' ? '' : `#${ref}`}`;
      this.#add({ uri, ...(pin === undefined ? {} : { digest: { [commitAlgorithm(pin)]: pin } }) });
    } else if (vertex.kind === 'context') this.#locals.add(vertex.context);
    else if (vertex.kind === 'run') {
      if (vertex.network !== 'none') this.hasNetwork = true;
      for (const mount of vertex.mounts) {
        if (mount.type === 'secret') this.#secrets.set(secretId(mount), !mount.required);
        if (mount.type === 'ssh') this.#agents.set(mount.id || 'default', !mount.required);
      }
    }
  }

  get materials(): readonly Material[] {
    return [...this.#materials.values()].sort((one, other) => (one.uri < other.uri ? -1 : 1));
  }

  get locals(): readonly string[] {
    return [...this.#locals].sort();
  }

  get secrets() {
    return named(this.#secrets);
  }

  get agents() {
    return named(this.#agents);
  }

  #add(material: Material): void {
    this.#materials.set(material.uri, material);
  }
}

function imageMaterial(reference: string, platform: Platform, digest: Digest | undefined): Material {
  const uri = imageUrl(reference, platform);
  return { uri, ...digestSet(digest) };
}

function digestSet(digest: string | undefined): Pick<Material, 'digest'> {
  const [algorithm = '', hex = ''] = (digest ?? '').split(':');
  return hex === '' ? {} : { digest: { [algorithm]: hex } };
}

function named(found: ReadonlyMap<string, boolean>): readonly { readonly id: string; readonly optional: boolean }[] {
  return [...found].map(([id, optional]) => ({ id, optional })).sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** Git names commits by SHA-1, or by SHA-256 in repositories that ask for it. */
function commitAlgorithm(commit: string): 'sha1' | 'sha256' {
  return commit.length === 64 ? 'sha256' : 'sha1';
}
