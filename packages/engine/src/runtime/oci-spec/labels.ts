import type { SecurityOptions } from './security-options.ts';

/** Security modules that this kernel has switched on. */
export interface SecurityModules {
  readonly appArmor: boolean;
  /** Of containers that name none; absent where none could be loaded. */
  readonly defaultProfile?: string | undefined;
  readonly seLinux: boolean;
}

export interface ProcessLabels {
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
}

/** Fields of an SELinux context (selinux(8)) that an option may name, in their order, and what container policies call them. */
const CONTEXT = { user: 'system_u', role: 'system_r', type: 'container_t', level: 's0' } as const;

/**
 * What `--security-opt apparmor=…` and `label=…` mean on this host; nothing where the kernel has no such module, as with dockerd. A
 * container that names no profile has the daemon's own; without a label the policy decides by the runtime's.
 */
export function processLabels({ appArmor, labels }: SecurityOptions, modules: SecurityModules): ProcessLabels {
  const context = modules.seLinux ? contextOf(labels) : undefined;
  const apparmorProfile = appArmorProfile(appArmor, modules);
  return {
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(context === undefined ? {} : { selinuxLabel: Object.values(context).join(':') }),
  };
}

/** The profile of a container that asks for one, or for none (``). */
function appArmorProfile(asked: string, { appArmor, defaultProfile }: SecurityModules): string | undefined {
  if (!appArmor) return undefined;
  return asked === '' ? defaultProfile : asked;
}

/** What `inspect` says of a container's profile (`AppArmorProfile`); empty where the kernel has no AppArmor. */
export function shownProfile(
  security: Pick<SecurityOptions, 'appArmor'>,
  privileged: boolean,
  modules: SecurityModules,
): string {
  if (!modules.appArmor) return '';
  return (privileged ? undefined : appArmorProfile(security.appArmor, modules)) ?? 'unconfined';
}

/** The label of the container's files that goes with it. */
export function mountLabel({ labels }: SecurityOptions, modules: SecurityModules): { readonly mountLabel?: string } {
  const context = modules.seLinux ? contextOf(labels) : undefined;
  return context === undefined ? {} : { mountLabel: `${context.user}:object_r:container_file_t:${context.level}` };
}

function contextOf(labels: readonly string[]): Record<keyof typeof CONTEXT, string> | undefined {
  const context: Record<keyof typeof CONTEXT, string> = { ...CONTEXT };
  let asked = false;
  for (const label of labels) {
    if (label === 'disable') return undefined;
    const [, name = '', value = ''] = /^(user|role|type|level):(.+)$/s.exec(label) ?? [];
    if (name === '') continue;
    context[name as keyof typeof CONTEXT] = value;
    asked = true;
  }
  return asked ? context : undefined;
}
