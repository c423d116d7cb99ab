import { resolve } from 'node:path';

/** The repository's root. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Where fetched clients and peers are kept between runs; never committed. */
export const CACHE = resolve(ROOT, '.cache');
