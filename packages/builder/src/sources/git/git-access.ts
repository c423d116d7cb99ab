import { WharfError } from '@wharf/kit';
import type { StepSecrets } from '../../ops/step-mounts.ts';
import type { GitAccess } from './git-command.ts';
import type { GitReference } from './git-reference.ts';

/**
 * What a client lends for a repository: a header from the secrets GIT_AUTH_HEADER or GIT_AUTH_TOKEN, those with the host's name behind
 * them before the others, and its ssh agent. A secret goes to the repository's own host only.
 */
export async function gitAccess(
  { remote, protocol, host }: GitReference,
  secrets: StepSecrets,
  knownHosts: string,
): Promise<GitAccess> {
  if (protocol === 'ssh') {
    const agent = await secrets.sshAgent('default').catch(() => undefined);
    return { headers: new Map(), agent, knownHosts };
  }
  const header = protocol === 'https' || protocol === 'http' ? await authorization(host, secrets) : undefined;
  const headers = new Map(header === undefined ? [] : [[new URL('/', remote).href, header]]);
  return { headers, agent: undefined, knownHosts };
}

async function authorization(host: string, secrets: StepSecrets): Promise<string | undefined> {
  for (const suffix of [`.${host}`, '']) {
    const header = await secrets.secret(`GIT_AUTH_HEADER${suffix}`);
    if (header !== undefined) return `Authorization: ${oneLine(header)}`;
    const token = await secrets.secret(`GIT_AUTH_TOKEN${suffix}`);
    if (token !== undefined) {
      return `Authorization: basic ${Buffer.from(`x-access-token:${oneLine(token)}`).toString('base64')}`;
    }
  }
  return undefined;
}

function oneLine(secret: Uint8Array): string {
  const text = Buffer.from(secret).toString('utf8').trim();
  if (/[\0\r\n]/.test(text)) throw new WharfError('invalid-argument', 'Cannot use a git secret that has several lines');
  return text;
}
