import type { ContainerRecord } from '../containers/container.ts';

export const RESTART_ON_UNHEALTHY_LABEL = 'io.wharf.restart-on-unhealthy';

/**
 * True when the container asks to be restarted once it is unhealthy, by its label `io.wharf.restart-on-unhealthy=true` or
 * by the restart policy `unhealthy`. Docker has no such thing: its unhealthy containers run on.
 */
export function restartsOnUnhealthy(record: Pick<ContainerRecord, 'config' | 'hostConfig'>): boolean {
  return (
    record.config.Labels?.[RESTART_ON_UNHEALTHY_LABEL] === 'true' ||
    record.hostConfig.RestartPolicy?.Name === 'unhealthy'
  );
}
