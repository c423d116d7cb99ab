import { WharfError } from '@wharf/kit';
import { volumeHash } from '../config/hash.ts';
import { CONFIG_HASH, PROJECT } from '../convert/labels.ts';
import type { Project } from '../model/project.ts';
import type { PlanBuilder } from './builder.ts';
import type { Observed } from './observed.ts';
import type { UpInput } from './up-input.ts';

export interface VolumeOutcome {
  /** Steps after which a volume is there, by key; none for those that are. */
  readonly ready: Readonly<Record<string, readonly string[]>>;
  /** Containers that go for a volume to be made anew, with the step after which they are gone. */
  readonly removedContainers: ReadonlyMap<string, string>;
}

/** A volume that differs from the file: making it anew loses its data, so somebody has to agree. */
export interface DivergedVolume {
  readonly key: string;
  readonly name: string;
}

/** The volumes to ask about before planning. */
export function divergedVolumes(project: Project, observed: Observed): readonly DivergedVolume[] {
  return Object.entries(project.volumes).flatMap(([key, volume]) => {
    const name = volume.name ?? key;
    const found = observed.volumes.find((one) => one.name === name);
    const hash = found?.labels[CONFIG_HASH];
    if (volume.external === true || hash === undefined || hash === volumeHash(volume)) return [];
    return [{ key, name }];
  });
}

/**
 * The project's volumes: those missing are created, those in `renewVolumes` made anew, for which the containers that mount them
 * are removed (`remove` plans that and answers the step). Throws `not-found` for an external one that is not there.
 */
export function planVolumes(
  builder: PlanBuilder,
  input: UpInput,
  remove: (containerId: string, reason: string) => string,
): VolumeOutcome {
  const { project, observed } = input;
  const ready: Record<string, readonly string[]> = {};
  const removedContainers = new Map<string, string>();
  for (const [key, volume] of Object.entries(project.volumes)) {
    const name = volume.name ?? key;
    const found = observed.volumes.find((one) => one.name === name);
    const create = (reason: string, needs: readonly string[]): void => {
      ready[key] = [builder.add(`create volume ${name}`, reason, needs, { kind: 'create-volume', key, volume })];
    };
    if (found === undefined) {
      if (volume.external === true) {
        throw new WharfError('not-found', `external volume ${JSON.stringify(name)} not found`, {
          hint: `Create it (docker volume create ${name}), or leave "external" out.`,
        });
      }
      create('it is not there', []);
      continue;
    }
    if (volume.external === true) continue;
    warnOfOwner(builder, project, name, found.labels[PROJECT]);
    if (input.renewVolumes?.includes(key) !== true) continue;
    const reason = `volume ${name} is made anew`;
    const users = observed.containers.filter(
      ({ oneOff, service }) => !oneOff && project.services[service]?.volumes?.some(({ source }) => source === key),
    );
    const gone = users.map(({ id }) => {
      const step = removedContainers.get(id) ?? remove(id, reason);
      removedContainers.set(id, step);
      return step;
    });
    const body = { kind: 'remove-volume', name } as const;
    create('its configuration changed', [
      builder.add(`remove volume ${name}`, 'its configuration changed', gone, body),
    ]);
  }
  return { ready, removedContainers };
}

function warnOfOwner(builder: PlanBuilder, project: Project, name: string, owner: string | undefined): void {
  if (owner === undefined) {
    builder.warn(
      `volume ${JSON.stringify(name)} already exists but was not created by Docker Compose. Use \`external: true\` to use an existing volume`,
    );
  } else if (owner !== project.name) {
    builder.warn(
      `volume ${JSON.stringify(name)} already exists but was created for project ${JSON.stringify(owner)} (expected ${JSON.stringify(project.name)}). Use \`external: true\` to use an existing volume`,
    );
  }
}
