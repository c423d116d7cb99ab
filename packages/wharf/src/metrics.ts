import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Engine } from '@wharf/engine/engine';
import type { Logger } from '@wharf/kit';
import { wharfVersion } from './version.ts';

export interface MetricsServer {
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` in the text format of Prometheus (exposition formats, version 0.0.4). Names of the engine's own figures are
 * dockerd's. Throws when the address cannot be had.
 */
export async function serveMetrics(options: {
  readonly address: string;
  readonly engine: Engine;
  readonly log: Logger;
}): Promise<MetricsServer> {
  const { engine, log } = options;
  const delays = monitorEventLoopDelay({ resolution: 20 });
  delays.enable();
  const events = new Map<string, number>();
  const unlisten = engine.events.listen(({ action }) => {
    const word = action.split(':', 1)[0] ?? action;
    events.set(word, (events.get(word) ?? 0) + 1);
  });
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404).end('404 page not found\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(metricsText({ engine, events, loopDelayNs: delays.percentile(99) }));
    delays.reset();
  });
  await listen(server, options.address);
  const { address, port } = server.address() as AddressInfo;
  log.info({ address: `${address}:${port}` }, 'metrics');
  return {
    async close() {
      unlisten();
      delays.disable();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, address: string): Promise<void> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => resolve());
  });
}

interface Facts {
  readonly engine: Engine;
  readonly events: ReadonlyMap<string, number>;
  readonly loopDelayNs: number;
}

function metricsText({ engine, events, loopDelayNs }: Facts): string {
  const states = { running: 0, paused: 0, stopped: 0 };
  for (const { state } of engine.containers.list()) {
    if (state.status === 'paused') states.paused += 1;
    else if (state.status === 'running' || state.status === 'restarting') states.running += 1;
    else states.stopped += 1;
  }
  const { user, system } = process.cpuUsage();
  return [
    ...family('engine_daemon_engine_info', 'gauge', 'What runs.', [
      [`{version="${wharfVersion()}",node="${process.versions.node}"}`, 1],
    ]),
    ...family(
      'engine_daemon_container_states_containers',
      'gauge',
      'Containers by state.',
      Object.entries(states).map(([state, count]) => [`{state="${state}"}`, count]),
    ),
    ...family(
      'engine_daemon_events_total',
      'counter',
      'Events by action.',
      [...events].map(([action, count]) => [`{action="${action}"}`, count]),
    ),
    ...family('process_cpu_seconds_total', 'counter', 'CPU time of the daemon.', [['', (user + system) / 1e6]]),
    ...family('process_resident_memory_bytes', 'gauge', 'Resident memory of the daemon.', [
      ['', process.memoryUsage.rss()],
    ]),
    ...family('process_start_time_seconds', 'gauge', 'Start of the daemon since the Unix epoch.', [
      ['', performance.timeOrigin / 1000],
    ]),
    ...family('nodejs_eventloop_lag_p99_seconds', 'gauge', 'Lag of the event loop since the last scrape.', [
      ['', Number.isFinite(loopDelayNs) ? loopDelayNs / 1e9 : 0],
    ]),
    '',
  ].join('\n');
}

function family(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  samples: readonly (readonly [labels: string, value: number])[],
): readonly string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => `${name}${labels} ${value}`),
  ];
}
