import { isDict, type Value } from './values.ts';

/** Takes away what `!reset` and `!override` of a later document stand at, in place. Items of lists are left. */
export function applyResets(target: Value, resets: readonly (readonly string[])[]): void {
  for (const keys of resets) removeAt(target, keys);
}

function removeAt(target: Value, keys: readonly string[]): void {
  let at: Value | undefined = target;
  for (const key of keys.slice(0, -1)) at = isDict(at) ? at[key] : undefined;
  const last = keys.at(-1);
  if (isDict(at) && last !== undefined) delete at[last];
}
