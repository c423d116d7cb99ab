import type { Extended, StringMap } from './service.ts';

/** A network of the project, or one that is there already (`external`). */
export interface Network extends Extended {
  readonly name?: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly ipam: Ipam;
  readonly external?: boolean;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly labels?: StringMap;
  readonly enable_ipv4?: boolean;
  readonly enable_ipv6?: boolean;
}

export interface Ipam extends Extended {
  readonly driver?: string;
  readonly config?: readonly IpamPool[];
}

export interface IpamPool extends Extended {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ip_range?: string;
  readonly aux_addresses?: StringMap;
}

/** A volume of the project, or one that is there already (`external`). */
export interface Volume extends Extended {
  readonly name?: string;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly external?: boolean;
  readonly labels?: StringMap;
}

/** A config or a secret: a file of the host, a variable's value, a text, or an external one. */
export interface FileObject extends Extended {
  readonly name?: string;
  /** Absolute. */
  readonly file?: string;
  /** The variable the content comes from. */
  readonly environment?: string;
  /** The text itself; of `environment`, its value. Never printed for a secret. */
  readonly content?: string;
  readonly external?: boolean;
  readonly labels?: StringMap;
  readonly driver?: string;
  readonly driver_opts?: StringMap;
  readonly template_driver?: string;
}

/** A language model a provider serves. */
export interface Model extends Extended {
  readonly name?: string;
  readonly model?: string;
  readonly context_size?: number;
  readonly runtime_flags?: readonly string[];
}
