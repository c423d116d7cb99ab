import { familiarName, formatFamiliar, parseReference, redact, tryParseReference, WharfError } from '@wharf/kit';
import type { ImageConfig, Platform } from '@wharf/oci/spec/image';
import { formatPlatform, normalizePlatform } from '@wharf/oci/spec/platform';
import type { ContextDirectory } from '../build.ts';
import type { NamedSource } from '../plan/named-source.ts';
import type { BuildPlan, PlanOptions } from '../plan/plan.ts';
import type { BaseImage } from '../plan/vertex.ts';
import { parseGitReference } from '../sources/git/git-reference.ts';
import { type DefinitionMessage, type SourceMessage, sourceOf } from './definition.ts';
import type { LocalDirectories } from './local-directories.ts';
import type { Results } from './results.ts';

export interface NamedContextsDeps {
  /** What the client told the front end. */
  readonly given: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, DefinitionMessage>>;
  readonly directories: LocalDirectories;
  readonly results: Results;
  /** Brings an image out of a directory of the client's (`oci-layout://`), for a platform. */
  readonly layoutImage: (name: string, reference: string, platform: Platform) => Promise<BaseImage>;
}

/**
 * The further contexts of a build (`--build-context`; BuildKit, dockerui `namedcontext.go`). A name stands for a stage, an image, or what
 * `--from` names; one with `::platform` behind it goes before the name alone.
 */
export class NamedContexts {
  readonly #deps: NamedContextsDeps;
  readonly #found = new Map<string, Promise<NamedSource>>();
  /** How the directories of the client are shown, by their names there. */
  readonly #labels = new Map<string, string>();

  constructor(deps: NamedContextsDeps) {
    this.#deps = deps;
  }

  /** What a name stands for; `undefined` when the build has no context of that name. */
  readonly source: NonNullable<PlanOptions['namedSource']> = async (written, platform) => {
    const { given } = this.#deps;
    const name = contextName(written);
    const names = [`${name}::${formatPlatform(normalizePlatform(platform))}`, name];
    const found = names.find((each) => given[`context:${each}`] !== undefined);
    if (found === undefined) return undefined;
    const key = `${found} ${formatPlatform(platform)}`;
    const source = this.#found.get(key) ?? this.#source(found, given[`context:${found}`] ?? '', platform);
    this.#found.set(key, source);
    return source;
  };

  /** Fetches a directory that a plan reads. */
  async directory(plans: readonly BuildPlan[], name: string): Promise<ContextDirectory> {
    const { directories } = this.#deps;
    const label = this.#labels.get(name) ?? name;
    const exclude = await directories.ignorePatterns(name, `[context ${label}]`);
    return directories.context(plans, { name, keptAs: ` context:${label}`, exclude });
  }

  async #source(name: string, input: string, platform: Platform): Promise<NamedSource> {
    const label = `[context ${name}]`;
    const colon = input.indexOf(':');
    const [kind, rest] = [input.slice(0, colon), input.slice(colon + 1)];
    if (kind === 'docker-image') return imageSource(rest.replace(/^\/\//, ''));
    if (kind === 'local') {
      this.#labels.set(rest, name);
      return { tree: { kind: 'context', context: rest, name: `${label} load from client` } };
    }
    if (kind === 'input') return this.#input(name, rest, platform);
    if (kind === 'oci-layout') {
      const image = await this.#deps.layoutImage(name, rest.replace(/^\/\//, ''), platform);
      return { tree: { kind: 'image', image, name: `${label} OCI load from client` }, ...configOf(image) };
    }
    return remoteSource(label, input) ?? unsupported(kind, name);
  }

  /** Another build's result, or a source that the client described as a graph. */
  #input(name: string, key: string, platform: Platform): NamedSource {
    const { inputs, given, results } = this.#deps;
    const definition = inputs[key];
    if (definition === undefined) throw new WharfError('invalid-argument', `invalid input ${key} for ${name}`);
    const source = sourceOf(definition);
    if (source === undefined) return { tree: undefined };
    const result = results.named(source);
    if (result?.kind === 'tree') {
      const { tree, config } = result;
      const image: BaseImage = {
        reference: name.replace(/::.*/, ''),
        ...{ config: withMetadata(config, given[`input-metadata:${key}`]), platform: result.platform },
        chainId: tree.chainId,
        diffIds: tree.layers.map(({ diffId }) => diffId),
        layers: tree.layers.map(({ descriptor }) => descriptor),
      };
      if (tree.chainId === '') return { tree: undefined, ...configOf(image) };
      return { tree: { kind: 'image', image, name: `[context ${name}] result of another build` }, ...configOf(image) };
    }
    return (
      graphSource(`[context ${name}]`, source) ??
      unsupported(source.identifier, `${name} (${formatPlatform(platform)})`)
    );
  }
}

/** The address of a source that a client described as a graph. Throws `not-implemented` for graphs that do more. */
export function graphContext(definition: DefinitionMessage): string {
  const source = sourceOf(definition);
  if (source === undefined) throw new WharfError('invalid-argument', 'Cannot build in an empty context');
  return graphAddress(source);
}

/** The address of a source of a client's graph. */
export function graphAddress(source: SourceMessage): string {
  const { identifier, attrs } = source;
  if (/^https?:/.test(identifier)) return identifier;
  if (!identifier.startsWith('git://')) return unsupported(identifier, 'a graph');
  // The address proper is an attribute; what follows "#" stands in the identifier only.
  const hash = identifier.indexOf('#');
  return (attrs['git.fullurl'] ?? identifier) + (hash < 0 ? '' : identifier.slice(hash));
}

/** A source of a client's graph that is an image, a repository or an archive. */
function graphSource(label: string, source: SourceMessage): NamedSource | undefined {
  const { identifier, attrs } = source;
  if (identifier.startsWith('docker-image://')) return imageSource(identifier.slice('docker-image://'.length));
  if (identifier.startsWith('git://')) {
    const address = graphAddress(source);
    const reference = parseGitReference(address);
    if (reference === undefined) return undefined;
    const keepGitDir = attrs['git.keepgitdir'] === 'true';
    return { tree: { kind: 'git', reference, keepGitDir, name: `${label} ${redact(address)}` } };
  }
  return /^https?:/.test(identifier) ? remoteSource(label, identifier, attrs['http.filename']) : undefined;
}

function remoteSource(label: string, address: string, filename = 'context'): NamedSource | undefined {
  const name = `${label} ${redact(address)}`;
  const reference = parseGitReference(address);
  if (reference !== undefined) {
    return { tree: { kind: 'git', reference, keepGitDir: reference.keepGitDir ?? false, name } };
  }
  if (!/^https?:/.test(address)) return undefined;
  return { tree: { kind: 'http', url: address, filename, checksum: '', name } };
}

function imageSource(reference: string): NamedSource {
  if (reference === 'scratch') return { tree: undefined };
  return { image: formatFamiliar(parseReference(reference)), tree: undefined };
}

/** A name as clients normalize it: `docker.io/library/alpine:latest` is `alpine`. */
function contextName(name: string): string {
  const reference = tryParseReference(name);
  if (reference === undefined) return name;
  const { tag, digest } = reference;
  const suffix = `${tag === undefined || (tag === 'latest' && digest === undefined) ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return familiarName(reference) + suffix;
}

function configOf({ config, platform }: BaseImage): Pick<NamedSource, 'config' | 'platform'> {
  return { config, platform };
}

/** The configuration that came along with an input; the result's own without one. */
function withMetadata(config: ImageConfig, metadata: string | undefined): ImageConfig {
  if (metadata === undefined) return config;
  const { 'containerimage.config': base64 } = JSON.parse(metadata) as { readonly 'containerimage.config'?: string };
  if (base64 === undefined) return config;
  return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as ImageConfig;
}

function unsupported(kind: string, name: string): never {
  throw new WharfError('invalid-argument', `unsupported context source ${redact(kind)} for ${name}`);
}
