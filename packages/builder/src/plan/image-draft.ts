import type { DiffId } from '@wharf/kit';
import type { HistoryEntry, ImageConfig, ImageRuntimeConfig, Platform } from '@wharf/oci/spec/image';

const COMMENT = 'buildkit.dockerfile.v0';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The configuration of an image while its stage is evaluated. */
export class ImageDraft {
  readonly platform: Platform;
  readonly config: Mutable<ImageRuntimeConfig>;
  readonly history: HistoryEntry[];
  author: string;
  readonly #baseCreated: string | undefined;
  /** Files may set thousands of variables: where each is is remembered, and nothing is copied for one more. */
  readonly #env: string[];
  readonly #envPlaces: Map<string, number>;

  constructor(platform: Platform, base?: Pick<ImageConfig, 'config' | 'history' | 'author' | 'created'>) {
    this.platform = platform;
    this.#env = [...(base?.config?.Env ?? [])];
    this.#envPlaces = new Map(this.#env.map((entry, index) => [nameOf(entry), index] as const).toReversed());
    this.config = { ...base?.config, ...(this.#env.length > 0 ? { Env: this.#env } : {}) };
    for (const key of ['Labels', 'ExposedPorts', 'Volumes'] as const) {
      if (this.config[key]) this.config[key] = { ...this.config[key] } as never;
    }
    this.history = [...(base?.history ?? [])];
    this.author = base?.author ?? '';
    this.#baseCreated = base?.created;
  }

  /** A copy for a stage that builds on this one. */
  fork(): ImageDraft {
    return new ImageDraft(this.platform, {
      config: structuredClone(this.config),
      history: this.history,
      ...(this.#baseCreated === undefined ? {} : { created: this.#baseCreated }),
      ...(this.author === '' ? {} : { author: this.author }),
    });
  }

  /** Notes what an instruction did; `withLayer` when it made a layer, however empty. */
  commit(createdBy: string, withLayer: boolean): void {
    this.history.push({ created_by: createdBy, comment: COMMENT, ...(withLayer ? {} : { empty_layer: true }) });
  }

  get env(): ReadonlyMap<string, string> {
    return environmentMap(this.config.Env ?? []);
  }

  setEnv(name: string, value: string): void {
    const at = this.#envPlaces.get(name) ?? this.#env.length;
    this.#envPlaces.set(name, at);
    this.#env[at] = `${name}=${value}`;
    this.config.Env = this.#env;
  }

  setLabel(name: string, value: string): void {
    this.config.Labels ??= {};
    define(this.config.Labels, name, value);
  }

  /** Notes ports as `80/tcp`. */
  expose(ports: readonly string[]): void {
    this.config.ExposedPorts ??= {};
    for (const port of ports) {
      if (!Object.hasOwn(this.config.ExposedPorts, port)) define(this.config.ExposedPorts, port, {});
    }
  }

  addVolumes(paths: readonly string[]): void {
    this.config.Volumes ??= {};
    for (const path of paths) define(this.config.Volumes, path, {});
  }

  /**
   * The whole document. A layer's entry of the history has the time the layer was made, an entry without a layer that of the entry
   * before it: the same steps from the cache give the same image. An image without any layer or base has no times, as BuildKit has it.
   * @param layers of the whole image, lowest first
   */
  finish(layers: readonly { readonly diffId: DiffId; readonly createdAt?: string }[]): ImageConfig {
    const times = layers.flatMap(({ createdAt }) => createdAt ?? []);
    const withoutTime = this.history.filter((entry) => entry.empty_layer !== true && entry.created === undefined);
    const layerTimes = times.slice(times.length - withoutTime.length);
    let latest = this.#baseCreated;
    const history = this.history.map((entry) => {
      latest = entry.created ?? (entry.empty_layer === true ? undefined : layerTimes.shift()) ?? latest ?? times[0];
      return entry.created === undefined && latest !== undefined ? { created: latest, ...entry } : entry;
    });
    return {
      ...this.platform,
      ...(latest === undefined ? {} : { created: latest }),
      ...(this.author === '' ? {} : { author: this.author }),
      config: this.config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history,
    };
  }
}

/** Sets a key whatever its name: `__proto__` is a key like others. */
function define(record: object, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

function nameOf(entry: string): string {
  const at = entry.indexOf('=');
  return at < 0 ? entry : entry.slice(0, at);
}

/** `NAME=value` entries by name; the last one of a name counts. */
export function environmentMap(entries: readonly string[]): Map<string, string> {
  return new Map(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
