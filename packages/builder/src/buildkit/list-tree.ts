import { toText } from '@wharf/oci/tar/bytes';
import { encode } from '@wharf/wire/grpc/protobuf';
import { MAX_LISTED_NAMES } from '../limits.ts';
import { PACKET, readPacket } from './diff-copy.ts';
import { Packet } from './messages.ts';
import { openTree, type TreeRequest } from './receive-tree.ts';
import type { Session } from './sessions.ts';

/** The paths in a client's directory, as far as `MAX_LISTED_NAMES` of them; no file is asked for. */
export async function listTree(
  session: Session,
  request: TreeRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const call = openTree(session, request, signal);
  const names: string[] = [];
  let isWhole = false;
  for await (const message of call.messages) {
    const { type, stat } = readPacket(message);
    if (type === PACKET.STAT && stat !== undefined) names.push(toText(stat.path));
    if (names.length === MAX_LISTED_NAMES || type === PACKET.ERROR) break;
    if (type !== PACKET.STAT || stat !== undefined) continue;
    isWhole = true;
    break;
  }
  if (isWhole) {
    await call.send(encode(Packet, { type: PACKET.FIN }));
    call.end();
  } else call.cancel();
  return names;
}
