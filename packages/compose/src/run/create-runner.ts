import { usesApiSocket, withApiSocket } from '../convert/api-socket.ts';
import type { Project } from '../model/project.ts';
import { projectFromLabels } from '../plan/from-labels.ts';
import { observe } from './observe.ts';
import type { Runner, RunnerOptions } from './runner.ts';

/** A runner for one project on one daemon. Nothing is asked of the daemon yet. */
export function createRunner(options: RunnerOptions): Runner {
  let given: Promise<Project> | undefined;
  const own = (): Promise<Project> | undefined => {
    if (options.project !== undefined) given ??= prepared(options, options.project);
    return given;
  };
  const fromLabels = async (
    how: { mayBeEmpty: boolean; required: boolean },
    signal?: AbortSignal,
  ): Promise<Project> => {
    const { client, projectName } = options;
    return projectFromLabels(projectName, await observe({ client, projectName, signal }, undefined), how);
  };
  /** For commands that take down or hold: what is left of a project is enough. */
  const anyProject = async (signal?: AbortSignal): Promise<Project> =>
    own() ?? fromLabels({ mayBeEmpty: true, required: false }, signal);
  const project = async (signal?: AbortSignal): Promise<Project> =>
    own() ?? fromLabels({ mayBeEmpty: false, required: true }, signal);
  const lifecycle = () => import('./lifecycle.ts');
  const upModule = () => import('./up.ts');
  return {
    project,
    observe: async (signal) => observe({ ...options, signal }, await own()),
    containers: async (wanted = {}) => (await lifecycle()).list(options, { ...wanted, all: wanted.all ?? false }),
    plan: async (wanted = {}) => (await upModule()).planOnly(options, await project(wanted.signal), wanted),
    up: async (wanted = {}) => (await upModule()).up(options, await project(wanted.signal), { ...wanted, start: true }),
    create: async (wanted = {}) =>
      (await upModule()).up(options, await project(wanted.signal), { ...wanted, start: false }),
    start: async (wanted = {}) => (await lifecycle()).start(options, await project(wanted.signal), wanted),
    stop: async (wanted = {}) => (await lifecycle()).stop(options, await anyProject(wanted.signal), wanted),
    restart: async (wanted = {}) => (await lifecycle()).restart(options, await anyProject(wanted.signal), wanted),
    kill: async (wanted = {}) => (await lifecycle()).kill(options, await own(), wanted),
    pause: async (wanted = {}) => (await lifecycle()).freeze(options, await own(), { ...wanted, verb: 'pause' }),
    unpause: async (wanted = {}) => (await lifecycle()).freeze(options, await own(), { ...wanted, verb: 'unpause' }),
    removable: async (wanted = {}) => (await lifecycle()).removable(options, await own(), wanted),
    remove: async (wanted = {}) => (await lifecycle()).remove(options, await own(), wanted),
    down: async (wanted = {}) => (await import('./down.ts')).down(options, await anyProject(wanted.signal), wanted),
    scale: async (replicas, { noDeps = false, signal } = {}) => {
      const whole = await project(signal);
      const services = Object.keys(replicas);
      const chosen = noDeps ? only(whole, services) : whole;
      await (await upModule()).up(options, chosen, { services, scale: replicas, start: true, signal });
    },
    createOneOff: async (wanted) =>
      (await import('./one-off.ts')).createOneOff(options, await project(wanted.signal), wanted),
  };
}

async function prepared({ credentials }: RunnerOptions, project: Project): Promise<Project> {
  if (!usesApiSocket(project)) return project;
  return withApiSocket(project, (await credentials?.()) ?? '{\n\t"auths": {}\n}');
}

/** The services of those names, and no dependency beyond them. */
function only(project: Project, names: readonly string[]): Project {
  const entries = Object.entries(project.services);
  const kept = entries.filter(([name]) => names.includes(name));
  const services = kept.map(([name, service]) => {
    const own = Object.entries(service.depends_on ?? {}).filter(([target]) => names.includes(target));
    return [name, { ...service, depends_on: Object.fromEntries(own) }] as const;
  });
  const others = entries.filter(([name]) => !names.includes(name));
  return {
    ...project,
    services: Object.fromEntries(services),
    disabledServices: { ...project.disabledServices, ...Object.fromEntries(others) },
  };
}
