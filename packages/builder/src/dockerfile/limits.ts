/** The longest word that a near miss is sought for, in characters. */
export const MAX_SUGGESTION_LENGTH = 100;

/** The longest line of a Dockerfile, in characters; what BuildKit reads. */
export const MAX_LINE_LENGTH = 65_535;

/** The largest Dockerfile, in bytes. */
export const MAX_DOCKERFILE_BYTES = 2 * 1024 * 1024;

/** How deep `${a:-${b:-…}}` may nest. */
export const MAX_EXPANSION_DEPTH = 100;
