/** What the volume worker does: everything that may take long and has no asynchronous form. */
export type VolumeTask =
  | {
      readonly kind: 'populate';
      /** The container's root on the host, and the path in it whose content is copied. */
      readonly rootfs: string;
      readonly path: string;
      readonly target: string;
    }
  | { readonly kind: 'usage'; readonly path: string }
  | {
      readonly kind: 'mount';
      readonly source: string;
      readonly target: string;
      readonly type: string;
      readonly options: string;
    };

/** Bytes for `usage`; 1 or 0 for a `populate` that copied or found nothing to do; 0 for `mount`. */
export type VolumeTaskResult = number;

export interface VolumeReply {
  readonly id: number;
  readonly result?: VolumeTaskResult;
  readonly error?: { readonly message: string; readonly code: string };
}
