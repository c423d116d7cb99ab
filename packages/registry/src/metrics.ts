import type { Call } from './http/call.ts';
import type { Metric } from './plug/extension.ts';
import type { RegistryContext } from './routes/context.ts';
import type { CollectionReport } from './upkeep/collect.ts';

/** Upper bounds of the histogram of answer times, in seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60] as const;

interface Series {
  requests: number;
  seconds: number;
  sentBytes: number;
  readonly buckets: number[];
}

/** Counts what the registry does, for Prometheus (text format 0.0.4). */
export class RegistryMetrics {
  readonly #series = new Map<string, Series>();
  #collections = 0;
  #collectedBytes = 0;

  /** Counts one answer. */
  observe(call: Call, route: string): void {
    const code = call.status === 0 ? 'cut' : `${Math.floor(call.status / 100)}xx`;
    const key = `method="${KNOWN.has(call.method) ? call.method : 'other'}",route="${route}",code="${code}"`;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { requests: 0, seconds: 0, sentBytes: 0, buckets: BOUNDS.map(() => 0) };
      this.#series.set(key, series);
    }
    const seconds = (performance.now() - call.startedAt) / 1000;
    series.requests += 1;
    series.seconds += seconds;
    series.sentBytes += call.sentBytes;
    const place = BOUNDS.findIndex((bound) => seconds <= bound);
    if (place >= 0) series.buckets[place] = (series.buckets[place] ?? 0) + 1;
  }

  collected(report: CollectionReport): void {
    this.#collections += 1;
    this.#collectedBytes += report.blobBytes;
  }

  /** Everything there is to say now. */
  text(context: RegistryContext): string {
    const { catalog } = context;
    const lines: string[] = [];
    const gauge = (name: string, help: string, value: number, type: 'gauge' | 'counter' = 'gauge') =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`);
    this.#requests(lines);
    gauge('wharf_registry_repositories', 'Repositories.', catalog.repositories.size);
    gauge(
      'wharf_registry_manifests',
      'Manifests, one in several repositories counted in each.',
      catalog.manifests.size,
    );
    gauge('wharf_registry_tags', 'Tags.', catalog.tags.size);
    gauge('wharf_registry_blob_links', 'Blobs, one in several repositories counted in each.', catalog.links.size);
    gauge('wharf_registry_uploads', 'Upload sessions.', catalog.uploads.size);
    gauge('wharf_registry_events_total', 'Changes so far.', catalog.events.last, 'counter');
    gauge('wharf_registry_collections_total', 'Garbage collections.', this.#collections, 'counter');
    gauge('wharf_registry_collected_bytes_total', 'Bytes of collected blobs.', this.#collectedBytes, 'counter');
    for (const extension of context.extensions)
      for (const metric of extension.metrics?.() ?? []) lines.push(...linesOf(metric));
    const { user, system } = process.cpuUsage();
    gauge('process_cpu_seconds_total', 'CPU time.', (user + system) / 1e6, 'counter');
    gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss());
    gauge('process_start_time_seconds', 'Start since the Unix epoch.', performance.timeOrigin / 1000);
    return `${lines.join('\n')}\n`;
  }

  #requests(lines: string[]): void {
    const name = 'wharf_registry_request_duration_seconds';
    lines.push(`# HELP ${name} Time to answer.`, `# TYPE ${name} histogram`);
    for (const [labels, { requests, seconds, buckets }] of this.#series) {
      let sum = 0;
      for (const [place, bound] of BOUNDS.entries()) {
        sum += buckets[place] ?? 0;
        lines.push(`${name}_bucket{${labels},le="${bound}"} ${sum}`);
      }
      lines.push(`${name}_bucket{${labels},le="+Inf"} ${requests}`);
      lines.push(`${name}_sum{${labels}} ${seconds}`, `${name}_count{${labels}} ${requests}`);
    }
    lines.push(
      '# HELP wharf_registry_sent_bytes_total Bytes of bodies sent.',
      '# TYPE wharf_registry_sent_bytes_total counter',
    );
    for (const [labels, { sentBytes }] of this.#series)
      lines.push(`wharf_registry_sent_bytes_total{${labels}} ${sentBytes}`);
  }
}

const KNOWN = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

function linesOf({ name, help, type, values }: Metric): readonly string[] {
  const full = `wharf_registry_${name}`;
  const quoted = (text: string) => `"${text.replace(/["\\\n]/g, '_')}"`;
  const rows = values.map(({ labels, value }) => {
    const list = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
    return `${full}${list.length === 0 ? '' : `{${list.join(',')}}`} ${value}`;
  });
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...rows];
}
