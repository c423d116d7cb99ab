import type { RestartPolicy } from '@wharf/wire/docker/types';
import type { Service } from '../model/service.ts';

/**
 * What the engine does when the container ends. `deploy.restart_policy` wins over `restart`.
 *
 * `on-unhealthy[:N]` is wharf's own: as `on-failure`, and the container's label asks the engine to restart it when it is
 * unhealthy. Docker heeds the first half.
 */
export function restartPolicy(service: Pick<Service, 'restart' | 'deploy'>): RestartPolicy {
  const policy = service.deploy?.restart_policy;
  if (policy !== undefined) {
    return { Name: policyName(policy.condition ?? ''), MaximumRetryCount: policy.max_attempts ?? 0 };
  }
  const [name = '', attempts = '0'] = (service.restart ?? '').split(':');
  return { Name: policyName(name), MaximumRetryCount: Number.parseInt(attempts, 10) || 0 };
}

function policyName(condition: string): string {
  switch (condition) {
    case 'none':
      return 'no';
    case 'any':
      return 'always';
    case 'on-unhealthy':
      return 'on-failure';
    default:
      return condition;
  }
}

export function asksForRestartWhenUnhealthy(service: Pick<Service, 'restart'>): boolean {
  return service.restart?.split(':')[0] === 'on-unhealthy';
}
