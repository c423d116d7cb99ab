import { WharfError } from '@wharf/kit/errors';
import { parseJson } from '../json.ts';
import { DOCKER_CLIENT_LIMITS } from './limits.ts';

/** Documents that are each on a line of their own. Throws `data-loss` for a line that is none. */
export async function* jsonLines<T>(chunks: AsyncIterable<Buffer>): AsyncGenerator<T, void, undefined> {
  const { StringDecoder } = process.getBuiltinModule('node:string_decoder');
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.write(chunk);
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      const line = rest.slice(from, end).trim();
      from = end + 1;
      if (line !== '') yield parseLine<T>(line);
    }
    rest = rest.slice(from);
    if (rest.length > DOCKER_CLIENT_LIMITS.lineBytes) {
      throw new WharfError('resource-exhausted', "a line of the daemon's answer is too long");
    }
  }
  if (rest.trim() !== '') yield parseLine<T>(rest);
}

function parseLine<T>(line: string): T {
  try {
    return parseJson(line) as T;
  } catch (cause) {
    throw new WharfError('data-loss', `the daemon sent no JSON: ${line.slice(0, 200)}`, { cause });
  }
}
