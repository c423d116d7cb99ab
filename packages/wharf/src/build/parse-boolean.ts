import { parseGoBoolean } from '@wharf/kit/go-numbers';

/** Go's strconv.ParseBool; `undefined` for what is neither. */
export function parseBoolean(text: string): boolean | undefined {
  try {
    return parseGoBoolean(text);
  } catch {
    return undefined;
  }
}
