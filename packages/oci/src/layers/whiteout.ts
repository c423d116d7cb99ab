/** How layers say "gone" (OCI image-spec, layer.md, "Whiteouts"). */
export const WHITEOUT_PREFIX = '.wh.';
/** In a directory: nothing of the layers below shows through. */
export const OPAQUE_MARKER = '.wh..wh..opq';
/** Other names that begin so are aufs's own book-keeping and mean nothing. */
export const AUFS_PREFIX = '.wh..wh.';
/** Overlayfs's word for an opaque directory, value `y` (kernel documentation, filesystems/overlayfs). */
export const OPAQUE_XATTR = 'trusted.overlay.opaque';
/** Attributes that steer overlayfs itself. They never enter or leave a layer. */
export const OVERLAY_XATTRS = 'trusted.overlay.';
