/** How long after a call of `expectCgroupMove()` the kernel is kept ready: from a client's first request to the runtime's move. */
export const MOVE_EXPECTED_MS = 40;
/** Shorter than the kernel needs to forget the last move. */
export const MOVE_REPEAT_MS = 8;
/** Bytes of mount options that fit beside the terminating zero in the page mount(2) copies. */
export const MOUNT_OPTIONS_BYTES = 4095;
/** Layers overlayfs takes (fs/overlayfs: OVL_MAX_STACK). */
export const OVERLAY_MAX_LOWER = 500;
/** Largest packet read from a SOCK_SEQPACKET peer; conmon sends at most 8 KiB and a type byte. */
export const SEQPACKET_MAX_BYTES = 64 * 1024;
/** Packets read in one turn of the event loop before others get theirs. */
export const SEQPACKET_BATCH = 32;
/** What `runTool` keeps of each output stream; a tool that writes more is killed. */
export const TOOL_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Largest extended attribute (VFS: XATTR_SIZE_MAX). */
export const XATTR_MAX_BYTES = 64 * 1024;
/** One receive from a netlink socket; the kernel's dumps come in pieces of at most 32 KiB. */
export const NETLINK_RECEIVE_BYTES = 64 * 1024;
/** Changes of links, addresses and routes that wait in the kernel to be read; more are lost, and one is told so. */
export const NETLINK_EVENTS_BYTES = 1024 * 1024;
/** How long the end of a thread is waited for. */
export const END_THREAD_MS = 2_000;
