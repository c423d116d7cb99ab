import type { Filters } from '@wharf/kit';
import { familiarName, matchesExactly, matchesLabels, matchesPrefix, tryParseReference } from '@wharf/kit';
import type { EngineEvent } from './event-bus.ts';

/** Actions that carry details after a colon; a filter by the bare word matches them all (moby issue 25798). */
const detailedActions = ['health_status', 'exec_create', 'exec_start'];

/** Filter keys that match the actor's id or its `name` attribute by prefix, whatever the event's type, as in dockerd. */
const actorKeys = ['container', 'daemon', 'network', 'plugin', 'volume', 'service', 'node', 'secret', 'config'];

/** True when the event passes Docker's `filters` of `GET /events`: all keys must match, one value of each key suffices. */
export function matchesEvent(event: EngineEvent, filters: Filters): boolean {
  if (filters.size === 0) return true;
  return (
    matchesAction(event, filters) &&
    matchesExactly(filters, 'type', event.type) &&
    matchesExactly(filters, 'scope', event.scope) &&
    actorKeys.every((key) => matchesActor(event, filters, key)) &&
    matchesImage(event, filters) &&
    matchesLabels(filters, event.attributes)
  );
}

function matchesAction(event: EngineEvent, filters: Filters): boolean {
  const wanted = filters.get('event') ?? [];
  if (wanted.some((action) => detailedActions.includes(action))) return matchesPrefix(filters, 'event', event.action);
  return matchesExactly(filters, 'event', event.action);
}

function matchesActor(event: EngineEvent, filters: Filters, key: string): boolean {
  return matchesPrefix(filters, key, event.actorId) || matchesPrefix(filters, key, event.attributes.name ?? '');
}

/** `image=` meets an image event's own id or name, or the image a container was made from; with or without its tag. */
function matchesImage(event: EngineEvent, filters: Filters): boolean {
  if (!filters.has('image')) return true;
  const name = event.attributes[event.type === 'image' ? 'name' : 'image'] ?? '';
  return [event.actorId, name, withoutTag(event.actorId), withoutTag(name)].some((candidate) =>
    matchesExactly(filters, 'image', candidate),
  );
}

function withoutTag(image: string): string {
  const reference = tryParseReference(image);
  return reference === undefined ? image : familiarName(reference);
}
