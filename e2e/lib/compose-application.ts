import { ComposeProject } from './compose-project.ts';
import { BUSYBOX } from './images.ts';
import type { DaemonUnderTest } from './suite.ts';

/** A service that is healthy a moment after its start, and ends at once. */
export const HEALTHY = `
    image: ${BUSYBOX}
    command: sh -c 'touch /tmp/well; exec sleep 1000'
    stop_signal: SIGKILL
    healthcheck: {test: test -f /tmp/well, interval: 300ms, start_period: 5s, start_interval: 50ms}`;

/** An application with a database, a job, two servers and one that shares the database's network. `version` changes the database. */
export const applicationFile = (version: string) => `
services:
  db:${HEALTHY}
    environment: {V: "${version}"}
    volumes: ["data:/data", /anonymous]
  migrate:
    image: ${BUSYBOX}
    command: "true"
    depends_on: {db: {condition: service_healthy}}
  web:${HEALTHY}
    scale: 2
    init: true
    ports: ["80"]
    mem_limit: 64m
    depends_on:
      db: {condition: service_healthy, restart: true}
      migrate: {condition: service_completed_successfully}
    networks: {default: {aliases: [www]}, back: {priority: 5}}
    configs: [{source: greeting, target: /etc/greeting}]
    secrets: [{source: token, uid: "1000", mode: "0400"}, file]
  side:
    image: ${BUSYBOX}
    command: sleep 1000
    stop_signal: SIGKILL
    network_mode: service:db
networks: {back: {}}
volumes: {data: {}}
configs: {greeting: {content: "hello\\n"}}
secrets: {token: {file: ./token}, file: {file: ./token}}
`;

/** The application, not yet up. */
export function application(host: string): ComposeProject {
  const project = new ComposeProject(host);
  project.write('token', 'secret\n');
  project.write('compose.yaml', applicationFile('1'));
  return project;
}

/** Every container of a project by docker's `--format`, sorted. */
export async function containersOf(
  project: ComposeProject,
  daemon: DaemonUnderTest,
  format = '{{.Names}} {{.State}} {{.ID}}',
): Promise<readonly string[]> {
  const filter = `label=com.docker.compose.project=${project.name}`;
  const out = await daemon.ok('ps', '-a', '--no-trunc', '--filter', filter, '--format', format);
  return out.split('\n').filter(Boolean).toSorted();
}
