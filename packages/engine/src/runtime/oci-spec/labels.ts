import type { SecurityOptions } from './security-options.ts';

/** Security modules that this kernel has switched on. */
export interface SecurityModules {
  readonly appArmor: boolean;
  readonly seLinux: boolean;
}

export interface ProcessLabels {
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
}

/** Fields of an SELinux context (selinux(8)) that an option may name, in their order, and what container policies call them. */
const CONTEXT = { user: 'system_u', role: 'system_r', type: 'container_t', level: 's0' } as const;

/**
 * What `--security-opt apparmor=…` and `label=…` mean on this host; nothing where the kernel has no such module, as with dockerd. No
 * profile is made up: a container that asks for none runs unconfined by these.
 */
export function processLabels({ appArmor, labels }: SecurityOptions, modules: SecurityModules): ProcessLabels {
  const context = modules.seLinux ? contextOf(labels) : undefined;
  return {
    ...(modules.appArmor && appArmor !== '' ? { apparmorProfile: appArmor } : {}),
    ...(context === undefined ? {} : { selinuxLabel: Object.values(context).join(':') }),
  };
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
