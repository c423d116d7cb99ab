/** Every bound of the registry. A bound reached is an error that the client sees. */

/** The longest repository name (distribution-spec, "Pulling manifests": clients bound host and name together by 255). */
export const MAX_NAME_LENGTH = 255;
/** The largest manifest (distribution-spec, "Pushing Manifests": at least 4 megabytes have to fit). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Bytes of manifests that are being received at one time; beyond it the next is asked to come later (503). */
export const MAX_MANIFEST_BYTES_IN_FLIGHT = 64 * 1024 * 1024;
/** Descriptors in one manifest. */
export const MAX_DESCRIPTORS = 10_000;
/** Annotations that a listing of referrers carries for one of them, in bytes of JSON; longer ones are read from the manifest. */
export const MAX_KEPT_ANNOTATIONS = 8 * 1024;
/** `tag` parameters of one manifest PUT; more are answered 414. */
export const MAX_TAG_PARAMETERS = 100;
/** Bytes of manifests held ready in memory. */
export const MANIFEST_CACHE_BYTES = 32 * 1024 * 1024;
/** Names or tags in one page, whatever was asked for. */
export const MAX_PAGE = 10_000;
/** Repository names in one page when nothing was asked for. */
export const DEFAULT_CATALOG_PAGE = 1_000;
/** A page of referrers ends when its descriptors are so long together (a manifest's limit, with room for the rest). */
export const MAX_REFERRERS_BYTES = MAX_MANIFEST_BYTES - 64 * 1024;
/** Upload sessions at one time. */
export const MAX_UPLOADS = 20_000;
/** Upload sessions of one repository. */
export const MAX_UPLOADS_PER_REPOSITORY = 2_000;
/** An upload without a request for so long gives back its descriptor; its bytes stay. */
export const UPLOAD_PARK_MS = 30_000;
/** An upload without a byte for so long is dropped. */
export const UPLOAD_TTL_MS = 24 * 60 * 60 * 1000;
/** What nobody refers to stays for so long after its last use: a push may be under way. */
export const GRACE_MS = 24 * 60 * 60 * 1000;
/** How often garbage is looked for. */
export const COLLECT_EVERY_MS = 60 * 60 * 1000;
/** A request body that does not move for so long is given up. */
export const BODY_STALL_MS = 60_000;
/** An answer that the client does not take for so long is broken off. */
export const ANSWER_STALL_MS = 60_000;
/** Bytes read from a file for one write to a socket, and how many such buffers there are; further downloads use small ones. */
export const LARGE_BUFFER_BYTES = 1024 * 1024;
export const LARGE_BUFFERS = 16;
export const SMALL_BUFFER_BYTES = 64 * 1024;
/** A download that has moved so much is no slow one: the kernel holds less for it. */
export const QUICK_BYTES = 8 * 1024 * 1024;
/** Received bytes are gathered up to this before a write to the disk … */
export const WRITE_BATCH_BYTES = 1024 * 1024;
/** … but by all uploads together not more than this. */
export const GATHERED_BYTES = 16 * 1024 * 1024;
/** … and not in more pieces than this for one: small ones cost more than they hold. */
export const WRITE_BATCH_PIECES = 128;
/** Blobs up to this size are hashed in the event loop; larger ones by a worker. */
export const INLINE_HASH_BYTES = 256 * 1024;
/** Bytes written between two syncs of a growing blob, so that the last one has little to wait for. */
export const SYNC_EVERY_BYTES = 32 * 1024 * 1024;
/** Upkeep (collection, scrub) yields to requests after so long. */
export const UPKEEP_SLICE_MS = 3;
/** With less room on the disk the registry says that it is not ready. */
export const LEAST_FREE_BYTES = 64 * 1024 * 1024;
/** Events kept in the log. */
export const MAX_EVENTS = 1_000_000;
/** Connections of one listener. */
export const MAX_CONNECTIONS = 8_192;
/** A connection without a request for so long is closed. */
export const IDLE_CONNECTION_MS = 120_000;
/** Password hashes computed at one time, and how many logins may wait for them. */
export const MAX_HASHING = 2;
export const MAX_WAITING_FOR_HASH = 64;
/** Users, robots and namespaces, each. */
export const MAX_ACCOUNTS = 100_000;
/** Tokens of one user; the oldest logins end for new ones. */
export const MAX_TOKENS_PER_USER = 200;
/** Members, grants and rules of one namespace, and permissions of one robot, each. */
export const MAX_RULES = 1_000;
/** Scopes of one token, and the bytes of a request for one. */
export const MAX_SCOPES = 32;
export const MAX_TOKEN_REQUEST_BYTES = 64 * 1024;
/** A bearer token is good for so long … */
export const TOKEN_LIFE_SECONDS = 300;
/** … and the refresh token of a login for so long. */
export const REFRESH_LIFE_MS = 90 * 24 * 60 * 60 * 1000;
/** Checked credentials and tokens that are remembered. */
export const MAX_REMEMBERED = 10_000;
export const REMEMBER_PASSWORD_MS = 5 * 60_000;
/** Addresses and users whose failed logins, and whose rates, are counted. */
export const MAX_COUNTED = 50_000;
/** One administrator's command. */
export const MAX_ADMIN_REQUEST_BYTES = 1024 * 1024;
/** Pulls that are remembered before they are written. */
export const MAX_DIRTY_PULLS = 10_000;
/** How often retention rules are applied, and the trash is looked through. */
export const RETENTION_EVERY_MS = 60 * 60 * 1000;
/** Webhooks, deliveries remembered of each, attempts for one event and how long one may take. */
export const MAX_HOOKS = 500;
export const MAX_DELIVERIES = 100;
export const HOOK_ATTEMPTS = 12;
export const HOOK_TIMEOUT_MS = 10_000;
export const HOOK_BACKOFF = { firstMs: 1_000, maxMs: 10 * 60_000, jitter: 0.2 } as const;
/** How often followers look for new events, and how many they read at a time. */
export const HOOK_POLL_MS = 300;
export const HOOK_PAGE = 200;
/** A tag of a cache is served for so long without asking the upstream, and for so long after the upstream gave no answer. */
export const PROXY_TAG_TTL_SECONDS = 300;
export const PROXY_RETRY_MS = 15_000;
/** Blobs of one import fetched at once. */
export const IMPORTED_AT_ONCE = 4;
/** Indexes within indexes, and referrers of referrers, that an import follows. */
export const MAX_INDEX_DEPTH = 8;
/** Blobs fetched from other registries at once. */
export const PROXY_DOWNLOADS = 32;
/** A smaller blob is sent when it is whole. */
export const FOLLOWED_FROM_BYTES = 1 << 20;
/** Referrers of one manifest that are fetched from an upstream. */
export const PROXY_REFERRERS = 1000;
