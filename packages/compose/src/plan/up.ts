import { WharfError } from '@wharf/kit';
import type { Project } from '../model/project.ts';
import { PlanBuilder } from './builder.ts';
import { dependencyGraph } from './dependencies.ts';
import { planNetworks } from './networks.ts';
import { orphansOf, orphanWarning } from './orphans.ts';
import { refTo } from './refs.ts';
import { planService } from './service.ts';
import { planWaitForAll } from './start.ts';
import type { Plan } from './steps.ts';
import type { UpInput } from './up-input.ts';
import { planStop, type UpState } from './up-state.ts';
import { planVolumes } from './volumes.ts';

/**
 * What makes the observed state the one that the file says, with why: missing networks, volumes and containers are created, what
 * differs is made anew, what is too much goes, all is started in the order of `depends_on`. Pure.
 *
 * Throws `WharfError`s in compose's words for projects that cannot be.
 */
export function planUp(input: UpInput): Plan {
  checkProject(input.project);
  const builder = new PlanBuilder();
  const state: UpState = {
    input,
    builder,
    graph: dependencyGraph(input.project),
    services: new Map(),
    stopped: new Map(),
    waits: new Map(),
    networks: { ids: {}, ready: {}, renewed: new Set() },
    volumes: { ready: {}, removedContainers: new Map() },
    cleared: [],
  };
  const byId = new Map(input.observed.containers.map((container) => [container.id, container]));
  state.networks = planNetworks(builder, input, (id, reason) => {
    const container = byId.get(id);
    return container === undefined ? undefined : planStop(state, container, { reason });
  });
  state.volumes = planVolumes(builder, input, (id, reason) => {
    const container = byId.get(id);
    if (container === undefined) throw new Error(`container ${id} is not observed`);
    const stop = planStop(state, container, { reason });
    return builder.add(`remove ${container.name}`, reason, stop === undefined ? [] : [stop], {
      kind: 'remove-container',
      container: refTo(container),
      volumes: false,
      force: true,
    });
  });
  state.cleared = planOrphans(state);
  for (const name of state.graph.order) state.services.set(name, planService(state, name));
  if (input.start && input.wait === true) planWaitForAll(state);
  return builder.plan();
}

function planOrphans(state: UpState): readonly string[] {
  const { input, builder } = state;
  const orphans = orphansOf(input.project, input.observed);
  if (orphans.length === 0 || input.ignoreOrphans === true) return [];
  if (input.removeOrphans !== true) {
    builder.warn(orphanWarning(orphans));
    return [];
  }
  return orphans.map((container) => {
    const stop = planStop(state, container, { reason: 'no service has it' });
    return builder.add(`remove ${container.name}`, 'no service has it', stop === undefined ? [] : [stop], {
      kind: 'remove-container',
      container: refTo(container),
      volumes: false,
      force: true,
    });
  });
}

/** What loading lets pass and no engine of one host can do. Throws `invalid-argument` or `not-implemented`. */
export function checkProject(project: Project): void {
  const names = new Map<string, string>();
  for (const [name, service] of Object.entries(project.services)) {
    if (service.provider === undefined && service.image === undefined && service.build === undefined) {
      throw new WharfError(
        'invalid-argument',
        `invalid service ${JSON.stringify(name)}. Must specify either image or build`,
      );
    }
    if (service.provider !== undefined) {
      throw new WharfError(
        'not-implemented',
        `service ${name}: providers (here: ${service.provider.type}) are not served`,
        {
          hint: 'Start what it provides yourself, and leave the service out.',
        },
      );
    }
    if (Object.keys(service.models ?? {}).length > 0) {
      throw new WharfError('not-implemented', `service ${name}: models are not served`, {
        hint: 'Run a server for the model as a service of its own.',
      });
    }
    if (service.credential_spec !== undefined) {
      throw new WharfError('not-implemented', `service ${name}: credential_spec is for containers of Windows`);
    }
    const container = service.container_name;
    if (container === undefined) continue;
    const other = names.get(container);
    if (other !== undefined) {
      throw new WharfError(
        'invalid-argument',
        `services.${name}: container name ${JSON.stringify(container)} is already in use by service ${other}"`,
      );
    }
    names.set(container, name);
  }
}
