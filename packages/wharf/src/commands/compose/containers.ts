import { CONFIG_HASH, CONTAINER_NUMBER, ONE_OFF, PROJECT, SERVICE } from '@wharf/compose/convert/labels';
import { canonicalName, shortName } from '@wharf/compose/convert/names';
import type { ContainerSummary } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { ExitError } from '../../cli/errors.ts';

export interface ContainerChoice {
  readonly project: string;
  /** Absent or empty: of all services. */
  readonly services?: readonly string[];
  /** Those that do not run, too. */
  readonly all: boolean;
  /** Containers of `compose run`. */
  readonly oneOff: 'include' | 'exclude';
  readonly index?: number;
}

/** The project's containers, as the daemon lists them. */
export async function listContainers(
  client: DockerClient,
  { project, services = [], all, oneOff, index = 0 }: ContainerChoice,
  signal: AbortSignal,
): Promise<readonly ContainerSummary[]> {
  const [only] = services.length === 1 ? services : [];
  const label = [
    `${PROJECT}=${project}`,
    ...(only === undefined ? [] : [`${SERVICE}=${only}`]),
    CONFIG_HASH,
    ...(oneOff === 'exclude' ? [`${ONE_OFF}=False`] : []),
    ...(index > 0 ? [`${CONTAINER_NUMBER}=${index}`] : []),
  ];
  const found = await client.json<readonly ContainerSummary[]>('GET', '/containers/json', {
    query: { ...(all ? { all: 1 } : {}), filters: { label: set(label) } },
    signal,
  });
  return services.length > 1 ? found.filter((each) => services.includes(labelOf(each, SERVICE))) : found;
}

/** The one container of a service a command is about: the first replica, or that of `index`. Throws ExitError when there is none. */
export async function findContainer(
  client: DockerClient,
  choice: Omit<ContainerChoice, 'services'> & { readonly service: string },
  signal: AbortSignal,
): Promise<ContainerSummary> {
  const { service, index = 0 } = choice;
  const found = await listContainers(client, { ...choice, services: [service] }, signal);
  const [first] = found.toSorted((left, right) => rank(left) - rank(right));
  if (first === undefined) {
    const which =
      index > 0 ? `${goQuote(service)} is not running container #${index}` : `${goQuote(service)} is not running`;
    throw new ExitError(1, `service ${which}`);
  }
  return first;
}

/** Replicas by number, then what `compose run` left. */
function rank(container: ContainerSummary): number {
  const isOneOff = labelOf(container, ONE_OFF) === 'True';
  return (isOneOff ? 1e9 : 0) + (Number(labelOf(container, CONTAINER_NUMBER)) || 0);
}

/** Filters as the API has them: a set for each. */
export function set(values: readonly string[]): Readonly<Record<string, true>> {
  return Object.fromEntries(values.map((value) => [value, true]));
}

export function labelOf({ Labels }: Pick<ContainerSummary, 'Labels'>, name: string): string {
  return Labels?.[name] ?? '';
}

/** The container's own name. */
export function nameOf({ Names, Id }: Pick<ContainerSummary, 'Names' | 'Id'>): string {
  return canonicalName(Names, Id);
}

/** Its name in logs. */
export function logNameOf(container: ContainerSummary): string {
  const number = Number(labelOf(container, CONTAINER_NUMBER));
  const facts = { name: nameOf(container), service: labelOf(container, SERVICE), number };
  return shortName(facts, labelOf(container, PROJECT));
}

/** A text in the quotes of Go's `%q`. */
export function goQuote(text: string): string {
  return JSON.stringify(text);
}
