import { nearest } from '@wharf/builder/dockerfile/suggest';

/** Shorter words are near to too many others. */
const LEAST_LENGTH = 3;

/** Which of the words was meant by one that is none of them; `undefined` when none is near. */
export function meantWord(word: string, words: readonly string[]): string | undefined {
  return word.length < LEAST_LENGTH ? undefined : nearest(word, words);
}
