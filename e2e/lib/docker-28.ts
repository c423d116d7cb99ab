import { join } from 'node:path';
import { findCommand } from '../../scripts/lib/requirements.ts';
import { must } from '../../scripts/lib/run.ts';
import { fetchFromSid } from './sid.ts';

let found: Promise<string> | undefined;

/** The docker CLI whose bytes ours are compared with: the machine's own if it is a 28, else that of Debian sid. */
export function dockerOf28(): Promise<string> {
  found ??= (async () => {
    const own = findCommand('docker');
    if (own !== undefined && / 28\./.test(await must([own, '--version']))) return own;
    return join(await fetchFromSid('docker-cli-sid', ['docker-cli']), 'usr/bin/docker');
  })();
  return found;
}
