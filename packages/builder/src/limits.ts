/** The largest build context, in bytes; what does not end before it is refused. */
export const MAX_CONTEXT_BYTES = 64 * 1024 ** 3;

/** The largest file an ADD fetches. */
export const MAX_DOWNLOAD_BYTES = 16 * 1024 ** 3;

/** How long a server may take to begin to answer, and to go on. */
export const DOWNLOAD_IDLE_MS = 60_000;

/** How often an ADD's server may send it elsewhere. */
export const MAX_REDIRECTS = 10;

/** Builds that run side by side; more wait. */
export const MAX_BUILDS = 16;

/** Steps that run side by side over all builds. */
export const MAX_STEPS = 16;

/** How much of a step's output is said again to builds that come to wait for it later. */
export const SHARED_OUTPUT_BYTES = 256 * 1024;

/** How soon after a build the cache is looked at, and how often at most: its parts have to be measured. */
export const CACHE_LIMIT_DELAY_MS = 1000;
export const CACHE_LIMIT_EVERY_MS = 20_000;

/** Client directories whose last build context is kept. */
export const MAX_KEPT_CONTEXTS = 16;

/** Files and directories of one build context. */
export const MAX_CONTEXT_ENTRIES = 2_000_000;

/** What a client may send where the Dockerfile and its companions are asked for. */
export const MAX_DEFINITION_ENTRIES = 64;
export const MAX_DEFINITION_BYTES = 16 * 1024 * 1024;

/** Contexts that are received at a time; more wait. A thread each, which a slow client holds for as long as it sends. */
export const MAX_INTAKES = 8;

/** The largest Dockerfile that is read from a context, in bytes. */
export const MAX_DOCKERFILE_BYTES = 2 * 1024 * 1024;

/** How long a private cache directory stays unused before it may be taken away is up to prune; how many of one name there may be. */
export const MAX_PRIVATE_CACHES = 64;

/** Git repositories of which a copy is kept. */
export const MAX_KEPT_REPOSITORIES = 16;

/** The largest manifest, index, configuration or cache description that is read from elsewhere, in bytes. */
export const MAX_REMOTE_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** Dockerfiles whose lines are remembered, to explain what has changed in them. */
export const MAX_LINE_HISTORIES = 64;

/** The longest memory of one Dockerfile's lines, in characters. */
export const MAX_LINE_HISTORY_BYTES = 4 * 1024 * 1024;

/** The longest index of a context that is searched for what has changed, in bytes. */
export const MAX_COMPARED_INDEX_BYTES = 8 * 1024 * 1024;

/** Steps that are taken from one imported cache. */
export const MAX_IMPORTED_STEPS = 20_000;

/** Platforms of one build. */
export const MAX_PLATFORMS = 32;

/** Steps that may stand one on the other, those of the stages below included. */
export const MAX_STEPS_DEEP = 500;

/** What a client may read of one file of a result at once, in bytes. */
export const MAX_READ_FILE_BYTES = 64 * 1024 * 1024;

/** How many names of a client's directory are looked at to guess which was meant. */
export const MAX_LISTED_NAMES = 10_000;

/** Results and sources that one build keeps for its client to look into. */
export const MAX_HELD_RESULTS = 256;

/** How long the end of a daemon waits for its builds to be given up. */
export const MAX_CLOSE_MS = 10_000;

/** Layers of a cache that are packed side by side. */
export const MAX_PACKED_LAYERS = 4;
