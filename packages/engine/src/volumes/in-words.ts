import { messageOf, WharfError } from '@wharf/kit';

/** A driver's failure as Docker words it: `create NAME: …`. */
export async function inWords<T>(verb: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const kind = error instanceof WharfError ? error.kind : 'internal';
    const text = messageOf(error);
    const prefix = `${verb} ${name}: `;
    throw new WharfError(kind, text.startsWith(prefix) ? text : `${prefix}${text}`, { cause: error });
  }
}
