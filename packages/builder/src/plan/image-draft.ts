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
  readonly #rest: Pick<ImageConfig, 'os.version' | 'os.features'>;

  constructor(platform: Platform, base?: Pick<ImageConfig, 'config' | 'history' | 'author'>) {
    this.platform = platform;
    this.config = { ...base?.config };
    this.history = [...(base?.history ?? [])];
    this.author = base?.author ?? '';
    this.#rest = {};
  }

  /** A copy for a stage that builds on this one. */
  fork(): ImageDraft {
    return new ImageDraft(this.platform, {
      config: structuredClone(this.config),
      history: this.history,
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
    const env = [...(this.config.Env ?? [])];
    const at = env.findIndex((entry) => entry === name || entry.startsWith(`${name}=`));
    if (at < 0) env.push(`${name}=${value}`);
    else env[at] = `${name}=${value}`;
    this.config.Env = env;
  }

  setLabel(name: string, value: string): void {
    this.config.Labels = { ...this.config.Labels, [name]: value };
  }

  /**
   * The whole document. Every entry of the history without a time gets `created`.
   * @param diffIds the layers, lowest first
   */
  finish(created: string, diffIds: ImageConfig['rootfs']['diff_ids']): ImageConfig {
    return {
      ...this.#rest,
      ...this.platform,
      created,
      ...(this.author === '' ? {} : { author: this.author }),
      config: this.config,
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: this.history.map((entry) => (entry.created === undefined ? { created, ...entry } : entry)),
    };
  }
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
