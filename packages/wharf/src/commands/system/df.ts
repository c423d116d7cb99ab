import { familiarName, tryParseReference } from '@wharf/kit/reference';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { cacheRows, sortCache, USAGE_KIND } from '../../disk-usage/rows.ts';
import { cacheBytes, type DiskUsage, usageRows } from '../../disk-usage/usage.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { formatRows, printRows, type RowKind } from '../../term/rows.ts';
import { humanSize } from '../../term/units.ts';
import { containerRows } from '../container/container-rows.ts';
import { type ImageRow, type ImageSummary, imageRows, isDangling } from '../image/image-rows.ts';
import { volumeRows } from '../volume/volume-rows.ts';

const TABLE = 'table {{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}';
const RAW =
  'type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n';
const TABLES = {
  images:
    'table {{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}\\t{{.SharedSize}}\\t{{.UniqueSize}}\\t{{.Containers}}',
  containers:
    'table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.LocalVolumes}}\\t{{.Size}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Names}}',
  volumes: 'table {{.Name}}\\t{{.Links}}\\t{{.Size}}',
  cache:
    'table {{.ID}}\\t{{.CacheType}}\\t{{.Size}}\\t{{.CreatedSince}}\\t{{.LastUsedSince}}\\t{{.UsageCount}}\\t{{.Shared}}',
};

/** `wharf system df`: docker's account of the disk; `wharf df` explains. */
export const df = defineCommand({
  usage: '[OPTIONS]',
  description: 'Show docker disk usage',
  flags: {
    format: { kind: 'string', default: '', help: FORMAT_HELP },
    verbose: { kind: 'bool', short: 'v', help: 'Show detailed information on space usage' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf system df', 'wharf system df -v'],
  run: async (context) => {
    const { flags, out, json } = context;
    const usage = await (await context.client()).json<DiskUsage>('GET', '/system/df');
    if (json) {
      out.line(JSON.stringify(flags.verbose ? usage : usageRows(usage), null, 2));
      return;
    }
    const format = flags.format === '' ? 'table' : flags.format;
    if (!flags.verbose) {
      const wanted = format === 'table' ? TABLE : format === 'raw' ? RAW : format;
      await printRows(out, USAGE_KIND, { rows: usageRows(usage), format: wanted });
      return;
    }
    if (format === 'table') out.write(await tablesOf(usage));
    else out.write(await templateText(usage, format));
  },
});

async function tablesOf(usage: DiskUsage): Promise<string> {
  const records = usage.BuildCache ?? [];
  const parts = [
    'Images space usage:\n\n',
    await formatRows(imageRows(true), imagesOf(usage), TABLES.images),
    '\nContainers space usage:\n\n',
    await formatRows(containerRows(true), containersOf(usage), TABLES.containers),
    '\nLocal Volumes space usage:\n\n',
    await formatRows(volumeRows, usage.Volumes ?? [], TABLES.volumes),
    `\nBuild cache usage: ${humanSize(cacheBytes(records))}\n\n`,
    await formatRows(cacheRows(true), sortCache(records), TABLES.cache),
  ];
  return parts.join('');
}

/** An image by the first of its names. */
function imagesOf({ Images }: DiskUsage): readonly ImageRow[] {
  return (Images ?? []).map((image: ImageSummary) => {
    const reference = isDangling(image) ? undefined : tryParseReference(image.RepoTags?.[0] ?? '');
    const isNamed = reference?.tag !== undefined;
    return {
      image,
      repository: isNamed ? familiarName(reference) : '<none>',
      tag: reference?.tag ?? '<none>',
      digest: '',
    };
  });
}

function containersOf({ Containers }: DiskUsage) {
  // The size of the image is not the container's.
  return (Containers ?? []).map((container) => ({ ...container, SizeRootFs: 0 }));
}

/** One template for everything: `{{range .Images}}…{{end}}`. */
async function templateText(usage: DiskUsage, format: string): Promise<string> {
  const { formatLists } = await import('../../disk-usage/lists-template.ts');
  const list = <T>(kind: RowKind<T>, rows: readonly T[]) =>
    ({ kind, rows }) as { kind: RowKind<unknown>; rows: readonly unknown[] };
  return formatLists(format, {
    Images: list(imageRows(false), imagesOf(usage)),
    Containers: list(containerRows(false), containersOf(usage)),
    Volumes: list(volumeRows, usage.Volumes ?? []),
    BuildCache: list(cacheRows(false), sortCache(usage.BuildCache ?? [])),
  });
}
