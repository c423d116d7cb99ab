/** The longest word that a near miss is sought for, in characters. */
export const MAX_SUGGESTION_LENGTH = 100;

/** How many words a near miss is sought among. */
export const MAX_SUGGESTIONS = 500;

/** The longest line of a Dockerfile, in characters; what BuildKit reads. */
export const MAX_LINE_LENGTH = 65_535;

/** The largest Dockerfile, in bytes. */
export const MAX_DOCKERFILE_BYTES = 2 * 1024 * 1024;

/** How deep `${a:-${b:-…}}` may nest. */
export const MAX_EXPANSION_DEPTH = 100;

/** The most stages of a Dockerfile. */
export const MAX_STAGES = 5000;

/** How much work one `${name#pattern}` may be: characters of the value times those of the pattern. */
export const MAX_PATTERN_WORK = 5_000_000;

/** The longest text that variables may make of a word, in characters. */
export const MAX_EXPANDED_LENGTH = 1024 * 1024;

/** How much of a text an error quotes, in characters. */
export const MAX_QUOTED_LENGTH = 500;
