import { join } from 'node:path';
import type { Logger } from '@wharf/kit';
import { AuditLog } from './access/audit.ts';
import { Authenticator } from './access/authenticator.ts';
import { BearerTokens, signingKey } from './access/bearer.ts';
import { Directory, type Principal } from './access/directory.ts';
import { DirectoryAccess } from './access/directory-access.ts';
import { TOKEN_PATH, tokenEndpoint } from './access/token-endpoint.ts';
import type { Administration } from './admin/administration.ts';
import { Hooks } from './hooks/hooks.ts';
import type { Access } from './plug/access.ts';
import { LockGuard } from './policy/locks.ts';
import { QuotaGuard } from './policy/quota.ts';
import { RateLimits, type RateSettings } from './policy/rate-limits.ts';
import type { PullThrough } from './proxy/pull-through.ts';
import type { ProxySettings } from './proxy/settings.ts';
import type { Plugins, Registry, RegistryParts } from './registry.ts';
import { lifeOfImages } from './retention/life-of-images.ts';
import { Pulls } from './retention/pulls.ts';
import { Trash } from './retention/trash.ts';
import { Upstreams } from './upstream/upstreams.ts';

export interface ManagementSettings {
  readonly root: string;
  /** Control access although there is no user yet. */
  readonly accessControl: boolean;
  /** Whom tokens are for; the registry's own name. */
  readonly service: string;
  /** How clients reach it, as `https://registry.example`, where that is not how they name it. */
  readonly publicUrl?: string | undefined;
  /** True when clients speak TLS to it. */
  readonly isTls: boolean;
  readonly rateLimits: RateSettings;
  readonly auditLog?: string | undefined;
  readonly proxies: readonly ProxySettings[];
  /** Where authorities and certificates for other registries lie, as docker's `certs.d`. */
  readonly registryDirectories: readonly string[];
  /** False for an administrator's command on a registry that does not run: nothing is sent then. */
  readonly isServing: boolean;
}

/** Who may do what, and the rules of content's life: what a registry is managed by. */
export interface Management {
  readonly plugins: Plugins & { readonly access: Access };
  /** Loaded when the first command comes. */
  readonly administration: () => Promise<Administration>;
  readonly audit: AuditLog | undefined;
}

/** Builds it on the parts of a registry. Throws `failed-precondition` when the signing key cannot be used. */
export async function createManagement(
  parts: RegistryParts,
  settings: ManagementSettings,
  log: Logger,
  upkeep: () => Pick<Registry, 'collect' | 'verify'>,
): Promise<Management> {
  const { root, service, accessControl, publicUrl, isTls } = settings;
  const directory = new Directory(parts);
  const authenticator = new Authenticator(directory);
  const tokens = new BearerTokens({ key: signingKey(join(root, 'token.key')), service, now: parts.now });
  const rates = new RateLimits(settings.rateLimits, parts.now);
  const admit = (principal: Principal, address: string): void => rates.admit(principal, address);
  const access = new DirectoryAccess({
    ...{ directory, authenticator, tokens, service, admit },
    // A registry with users is never open to all, whatever its settings have come to say.
    isOn: () => accessControl || directory.users.size > 0,
    realm: (host) => (publicUrl ?? `${isTls ? 'https' : 'http'}://${safeHost(host)}`) + TOKEN_PATH,
  });
  const audit = settings.auditLog === undefined ? undefined : new AuditLog(settings.auditLog, log);
  const pulls = new Pulls(parts.store, parts.now);
  const hooks = new Hooks({ ...parts, userAgent: 'Wharf-Registry' });
  if (settings.isServing) hooks.start();
  const trash = new Trash({ directory, ...parts });
  const upstreams = new Upstreams(settings.registryDirectories, log);
  const proxy = await openProxies(parts, upstreams, settings.proxies);
  // What one of the first refuses never comes to the trash.
  const guards = [
    ...(proxy === undefined ? [] : [proxy.guard]),
    new LockGuard(directory, parts.store),
    new QuotaGuard(directory, parts.catalog),
    trash,
  ];
  let administration: Promise<Administration> | undefined;
  const load = async (): Promise<Administration> => {
    const { Administration: Loaded } = await import('./admin/administration.ts');
    return new Loaded({ parts, directory, hooks, pulls, trash, upkeep, upstreams }, audit);
  };
  return {
    plugins: {
      access,
      guards,
      extensions: [
        tokenEndpoint({ directory, authenticator, tokens, service, admit }),
        lifeOfImages({ directory, pulls, trash, ...parts }),
        hooks.extension,
        ...(proxy === undefined ? [] : [proxy.extension]),
        { name: 'upstreams', close: () => upstreams.close() },
      ],
    },
    administration: () => (administration ??= load()),
    audit,
  };
}

async function openProxies(
  parts: RegistryParts,
  upstreams: Upstreams,
  proxies: readonly ProxySettings[],
): Promise<PullThrough | undefined> {
  if (proxies.length === 0) return undefined;
  const { PullThrough: Loaded } = await import('./proxy/pull-through.ts');
  return new Loaded(parts, upstreams, proxies);
}

/** A client hears its own word for this server again, but nothing that would end the header. */
function safeHost(host: string | undefined): string {
  return host !== undefined && /^[A-Za-z0-9.\-:[\]]{1,255}$/.test(host) ? host : 'localhost';
}
