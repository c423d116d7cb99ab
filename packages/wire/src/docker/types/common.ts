/** Go's slice in JSON: a list, or `null` when nil. */
export type List<T> = readonly T[] | null;

/** Go's map in JSON, or `null` when nil. */
export type Dict<T> = Readonly<Record<string, T>> | null;

/** Go's empty struct: the value side of a set such as `ExposedPorts`. */
export type EmptyObject = Readonly<Record<string, never>>;

/** A set written as an object: `{"80/tcp": {}}`. */
export type StringSet = Dict<EmptyObject>;

/** A counter of 64 bits that is only sent. */
export type Uint64 = number | bigint;

export interface ErrorResponse {
  readonly message: string;
}

export interface IDResponse {
  readonly Id: string;
}

/** OCI image-spec, descriptor.md, as Docker passes it on. */
export interface OCIDescriptor {
  readonly mediaType?: string | undefined;
  readonly digest?: string | undefined;
  readonly size?: number | undefined;
  readonly urls?: List<string> | undefined;
  readonly annotations?: Dict<string> | undefined;
  readonly data?: string | null | undefined;
  readonly platform?: OCIPlatform | null | undefined;
  readonly artifactType?: string | null | undefined;
}

/** OCI image-spec, image-index.md, "platform". */
export interface OCIPlatform {
  readonly architecture?: string | undefined;
  readonly os?: string | undefined;
  readonly 'os.version'?: string | undefined;
  readonly 'os.features'?: List<string> | undefined;
  readonly variant?: string | undefined;
}

export interface DriverData {
  readonly Name: string;
  readonly Data: Dict<string>;
}

export interface ErrorDetail {
  readonly code?: number | undefined;
  readonly message?: string | undefined;
}

export interface ProgressDetail {
  readonly current?: number | undefined;
  readonly total?: number | undefined;
  readonly start?: number | undefined;
  readonly hidecounts?: boolean | undefined;
  readonly units?: string | undefined;
}

/** One line of a progress stream (`pull`, `push`, `load`, `build`). */
export interface JSONMessage {
  readonly stream?: string | undefined;
  readonly status?: string | undefined;
  readonly progressDetail?: ProgressDetail | EmptyObject | undefined;
  /** The rendered bar; sent below API 1.52 beside `progressDetail`. */
  readonly progress?: string | undefined;
  readonly id?: string | undefined;
  readonly from?: string | undefined;
  readonly time?: number | undefined;
  readonly timeNano?: Uint64 | undefined;
  readonly errorDetail?: ErrorDetail | undefined;
  readonly error?: string | undefined;
  readonly aux?: unknown;
}
