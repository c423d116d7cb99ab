import { WharfError } from '@wharf/kit';
import { parseGoDuration } from '@wharf/kit/duration';
import { imageName } from '../convert/names.ts';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import type { ObservedImage } from './observed.ts';
import type { ImagePlan, PlannedImage } from './steps.ts';

export interface ImageOptions {
  /** `--pull`: in place of every `pull_policy`. */
  readonly pull?: string | undefined;
  /** `true` (`--build`): build all that can be; `false`: none; absent: what is missing. */
  readonly build?: boolean | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** The images the services of a project run, and those that are mounted. Names as they are asked of the daemon. */
export function imagesOf(project: Project): readonly string[] {
  const names = Object.entries(project.services).flatMap(([name, service]) => [
    ...(service.provider === undefined ? [imageName(project.name, name, service)] : []),
    ...mountedImages(service),
    ...(service.pre_start ?? []).flatMap(({ image }) => image ?? []),
  ]);
  return [...new Set(names)];
}

/** What is to be pulled and built before containers are made: docker compose's rules. */
export function planImages(
  project: Project,
  images: Readonly<Record<string, ObservedImage>>,
  options: ImageOptions,
): ImagePlan {
  const pull = new Map<string, PlannedImage>();
  const toBuild = new Map<string, PlannedImage>();
  for (const [name, service] of Object.entries(project.services)) {
    if (service.provider !== undefined) continue;
    const image = imageName(project.name, name, service);
    const policy =
      options.build === true && service.build !== undefined ? 'build' : (options.pull ?? service.pull_policy ?? '');
    const local = present(images[image], service.platform);
    const platform = service.platform ?? project.environment['DOCKER_DEFAULT_PLATFORM'];
    const why = service.image === undefined ? undefined : pullReason(policy, local, options.nowMs);
    if (why !== undefined && !pull.has(image)) pull.set(image, { service: name, image, platform, reason: why });
    for (const mounted of [
      ...mountedImages(service),
      ...(service.pre_start ?? []).flatMap((step) => step.image ?? []),
    ]) {
      if (images[mounted] === undefined && !pull.has(mounted)) {
        pull.set(mounted, { service: name, image: mounted, reason: 'it is not here' });
      }
    }
    if (service.build === undefined || options.build === false) continue;
    if (local !== undefined && policy !== 'build') continue;
    const reason = local === undefined ? 'it is not here' : 'building is asked for';
    toBuild.set(name, { service: name, image, platform, reason });
  }
  return { pull: [...pull.values()], build: withContexts(project, toBuild) };
}

/** True when some service can build the image: a pull that fails is no error then. */
export function isBuildable(project: Project, image: string): boolean {
  return Object.entries(project.services).some(
    ([name, service]) => service.build !== undefined && imageName(project.name, name, service) === image,
  );
}

function mountedImages(service: Service): readonly string[] {
  return (service.volumes ?? []).flatMap(({ type, source }) => (type === 'image' && source ? [source] : []));
}

/** The image, unless it is for another platform than the service wants. */
function present(image: ObservedImage | undefined, platform: string | undefined): ObservedImage | undefined {
  if (image === undefined || platform === undefined) return image;
  const [os, architecture, variant] = platform.split('/');
  const [imageOs, imageArchitecture, imageVariant] = image.platform.split('/');
  const other = variant !== undefined && imageVariant !== undefined && variant !== imageVariant;
  return os !== imageOs || architecture !== imageArchitecture || other ? undefined : image;
}

function pullReason(policy: string, local: ObservedImage | undefined, nowMs: number): string | undefined {
  switch (policy) {
    case 'always':
      return 'pull_policy is always';
    case 'never':
    case 'build':
      return undefined;
    case '':
    case 'missing':
    case 'if_not_present':
      return local === undefined ? 'it is not here' : undefined;
    default: {
      if (local === undefined) return 'it is not here';
      return nowMs > local.taggedAtMs + refreshMs(policy) ? `pull_policy is ${policy}` : undefined;
    }
  }
}

const DAY_MS = 86_400_000;

function refreshMs(policy: string): number {
  if (policy === 'daily') return DAY_MS;
  if (policy === 'weekly') return 7 * DAY_MS;
  const every = /^every_(?:(\d+)w)?(?:(\d+)d)?(.*)$/.exec(policy);
  if (every === null) {
    throw new WharfError('invalid-argument', `invalid pull_policy value ${JSON.stringify(policy)}`);
  }
  const [, weeks = '0', days = '0', rest = ''] = every;
  const ms = rest === '' ? 0 : Number(parseGoDuration(rest) / 1_000_000n);
  return (Number(weeks) * 7 + Number(days)) * DAY_MS + ms;
}

/** Builds, each after those its contexts name (`additional_contexts: {base: "service:base"}`), which are built too. */
function withContexts(project: Project, wanted: ReadonlyMap<string, PlannedImage>): readonly PlannedImage[] {
  const ordered = new Map<string, PlannedImage>();
  const visit = (name: string, reason: string): void => {
    const service = project.services[name] ?? project.disabledServices[name];
    if (service?.build === undefined || ordered.has(name)) return;
    for (const context of Object.values(service.build.additional_contexts ?? {})) {
      if (context.startsWith('service:'))
        visit(context.slice('service:'.length), `the image of ${name} is made from it`);
    }
    const planned = wanted.get(name) ?? { service: name, image: imageName(project.name, name, service), reason };
    ordered.set(name, planned);
  };
  for (const name of wanted.keys()) visit(name, '');
  return [...ordered.values()];
}
