import type { Project } from '@wharf/compose/model/project';
import type { Service } from '@wharf/compose/model/service';
import { ExitError } from '../../cli/errors.ts';
import { goQuote } from './containers.ts';

/** Services that are built to be run here: for one platform, their own or the builder's. Throws ExitError for one it is not built for. */
export function forOnePlatform(project: Project): Project {
  return withPlatforms(project, true);
}

/** Services that are built for all the platforms they name. */
export function forAllPlatforms(project: Project): Project {
  return withPlatforms(project, false);
}

function withPlatforms(project: Project, isSingle: boolean): Project {
  const preset = project.environment['DOCKER_DEFAULT_PLATFORM'] ?? '';
  const services = Object.entries(project.services).map(
    ([name, service]) => [name, settle(name, service, { preset, isSingle })] as const,
  );
  return { ...project, services: Object.fromEntries(services) };
}

function settle(
  name: string,
  service: Service,
  { preset, isSingle }: { readonly preset: string; readonly isSingle: boolean },
): Service {
  const { build } = service;
  if (build === undefined) return service;
  const given = build.platforms ?? [];
  if (preset !== '' && service.platform === undefined && given.length > 0 && !given.includes(preset)) {
    throw new ExitError(
      1,
      `service ${goQuote(name)} build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: ${preset}`,
    );
  }
  const platform = service.platform ?? (preset === '' ? undefined : preset);
  if (platform !== undefined && given.length > 0 && !given.includes(platform)) {
    throw new ExitError(1, `service ${goQuote(name)} build configuration does not support platform: ${platform}`);
  }
  let platforms = platform !== undefined && (isSingle || given.length === 0) ? [platform] : given;
  // Which of several it is, the builder says.
  if (isSingle && platforms.length > 1) platforms = [];
  const { platforms: _platforms, ...rest } = build;
  const settled = platforms.length === 0 ? rest : { ...rest, platforms };
  return { ...service, build: settled, ...(platform === undefined ? {} : { platform }) };
}
