import { createHmac } from 'node:crypto';
import type { RegistryEvent } from '../model/records.ts';
import type { HookAction } from './records.ts';

/** What an event is to a hook; `undefined` for what hooks are not told of. A push is told once, with its tags. */
export function actionOf({ kind }: RegistryEvent): HookAction | undefined {
  if (kind === 'manifest.push') return 'push';
  if (kind === 'manifest.delete' || kind === 'tag.delete') return 'delete';
  if (kind === 'x-pull') return 'pull';
  return kind === 'x-quota' ? 'quota' : undefined;
}

/** The body of a delivery. */
export function payloadOf(number: number, action: HookAction, event: RegistryEvent): string {
  const { repository, tag, digest, previous, sizeBytes, mediaType, by, at, details = {} } = event;
  return JSON.stringify({
    ...{ id: number, action, time: new Date(at).toISOString(), actor: by, repository },
    ...{
      digest: digest ?? previous,
      mediaType,
      size: sizeBytes,
      ...(tag === undefined ? {} : { tags: [tag] }),
      ...details,
    },
  });
}

/** The signature of a delivery: HMAC-SHA256 over `timestamp.body`, so that neither can be replaced. */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
