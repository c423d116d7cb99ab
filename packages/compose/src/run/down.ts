import type { ImageSummary } from '@wharf/wire/docker/types';
import { PROJECT, SERVICE } from '../convert/labels.ts';
import { imageName } from '../convert/names.ts';
import type { Project } from '../model/project.ts';
import { planDown } from '../plan/down.ts';
import { observe, observeImages } from './observe.ts';
import type { DownOptions, RunnerOptions } from './runner.ts';
import { executePlan } from './up.ts';

/** Takes the project down. False when there was nothing of it. */
export async function down(options: RunnerOptions, project: Project, wanted: DownOptions): Promise<boolean> {
  const { signal, services = [] } = wanted;
  const observed = await observe({ ...options, signal }, { ...project, services: {} });
  const known = services.filter((name) => Object.hasOwn(project.services, name));
  if (services.length > 0 && known.length === 0) return true;
  const images = wanted.images === undefined ? [] : await imagesToRemove(options, project, wanted);
  const plan = planDown({ ...wanted, project, observed, services: known, images });
  if (plan.steps.length === 0) {
    // Docker compose looks for the file's networks in vain, and says nothing then.
    const looks = [project.networks, wanted.volumes === true ? project.volumes : {}].flatMap((each) =>
      Object.values(each),
    );
    if (looks.every(({ external }) => external === true)) {
      options.warn?.(`Warning: No resource found to remove for project ${JSON.stringify(options.projectName)}.`);
    }
    return false;
  }
  await executePlan(options, { plan, project, observed, signal });
  return true;
}

/** Docker compose's choice: built ones by label or by their usual name; with `all` those that services name too. */
async function imagesToRemove(
  { client, projectName }: RunnerOptions,
  project: Project,
  { images, removeOrphans, signal }: DownOptions,
): Promise<readonly string[]> {
  const filters = { label: [`${PROJECT}=${projectName}`], dangling: ['false'] };
  const built = await client.json<readonly ImageSummary[]>('GET', '/images/json', { query: { filters }, signal });
  const labelled = built.flatMap(({ RepoTags, Labels }) => {
    const isOurs = removeOrphans === true || Object.hasOwn(project.services, Labels?.[SERVICE] ?? '');
    return isOurs ? (RepoTags ?? []).slice(0, 1) : [];
  });
  const named = Object.entries(project.services).flatMap(([name, service]) =>
    service.image === undefined || images === 'all' ? [imageName(project.name, name, service)] : [],
  );
  const there = await observeImages({ client, signal }, named);
  const { formatFamiliar, tryParseReference, withDefaultTag } = await import('@wharf/kit/reference');
  const all = [...labelled, ...Object.keys(there)].map((image) => {
    const reference = tryParseReference(image);
    return reference === undefined ? image : formatFamiliar(withDefaultTag(reference));
  });
  return [...new Set(all)].toSorted();
}
