import { WharfError } from '@wharf/kit';
import type { Project } from '../model/project.ts';
import { imagesOf, isBuildable, planImages } from '../plan/images.ts';
import type { Observed } from '../plan/observed.ts';
import { observeImages } from './observe.ts';
import type { CreateOptions, RunnerOptions } from './runner.ts';

/**
 * Pulls and builds what containers need, and answers the images there are then. Throws when one is needed that nobody can
 * fetch or build.
 */
export async function ensureImages(
  { client, images: provider, progress = () => {}, warn = () => {} }: RunnerOptions,
  project: Project,
  observed: Observed,
  options: CreateOptions,
): Promise<Observed['images']> {
  const { signal } = options;
  const asked = { pull: options.pull, build: options.build, nowMs: Date.now() };
  const plan = planImages(project, observed.images, asked);
  if (plan.pull.length === 0 && plan.build.length === 0) return observed.images;
  if (provider === undefined) {
    const [first] = [...plan.pull, ...plan.build];
    throw new WharfError('failed-precondition', `Cannot get image "${first?.image}": nothing here pulls or builds`);
  }
  const work = { progress, warn, ...(signal === undefined ? {} : { signal }) };
  if (plan.pull.length > 0) {
    const requests = plan.pull.map(({ service, image, platform }) => ({
      service,
      image,
      platform,
      buildable: options.build !== false && isBuildable(project, image),
    }));
    await provider.pull(requests, work);
  }
  const pulled = plan.pull.length === 0 ? observed.images : await observeImages({ client, signal }, imagesOf(project));
  // What could be pulled is not built, as long as building is not asked for.
  const { build } = planImages(project, pulled, asked);
  if (build.length === 0) return pulled;
  const requests = build.flatMap(({ service: name, image }) => {
    const service = project.services[name] ?? project.disabledServices[name];
    return service === undefined ? [] : [{ name, image, service }];
  });
  await provider.build(requests, work);
  return observeImages({ client, signal }, imagesOf(project));
}
