import type { EndpointSettings, HostConfig, NetworkingConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord, NetworkEndpoint } from '../containers/container.ts';

/** A container's network sandbox, up. */
export interface Sandbox {
  /** A path that pins the network namespace, for the OCI spec; `undefined` for `--network host`. */
  readonly netnsPath: string | undefined;
  readonly sandboxId: string;
  readonly endpoints: readonly NetworkEndpoint[];
  readonly ports: ContainerRecord['ports'];
}

/** The files a container sees in /etc, on the host. */
export interface NetworkFiles {
  readonly hostnamePath: string;
  readonly hostsPath: string;
  readonly resolvConfPath: string;
}

/**
 * Networks of this host. All methods are idempotent per container, and what was set up is found again after a daemon
 * restart: namespaces are pinned under the exec root, rules are in the kernel, addresses in the record.
 */
export interface NetworkService {
  /**
   * Checks the request at create and returns the endpoints the container will have (no addresses yet).
   * Throws `not-found` (`network x not found`), `invalid-argument` or `conflict` in Docker's words.
   */
  plan(options: {
    readonly hostConfig: HostConfig;
    readonly networkingConfig: NetworkingConfig | undefined;
    readonly hostname: string;
  }): Promise<readonly NetworkEndpoint[]>;
  /**
   * Makes the namespace that `setUp` will fill, nothing in it yet, and returns where it is pinned; `undefined` for a
   * container that gets none of its own. Not visible to anyone; `tearDown` undoes it.
   */
  prepare(record: ContainerRecord): string | undefined;
  /**
   * Makes the namespace, links, addresses, routes, DNS, port rules. On an error everything made is undone.
   * `peer` is the container of `--network container:ID`, already running.
   */
  setUp(
    record: ContainerRecord,
    options: { readonly containerDir: string; readonly peer?: ContainerRecord | undefined },
  ): Promise<Sandbox>;
  /** Writes hostname, hosts and resolv.conf; called after `setUp`, and again when an endpoint changes. */
  writeFiles(record: ContainerRecord, containerDir: string): Promise<NetworkFiles>;
  tearDown(record: ContainerRecord): Promise<void>;
  /** After a daemon restart: takes running containers' addresses and ports back into the books, removes what belongs to none. Nothing else is asked of this room until then. */
  restore(running: readonly ContainerRecord[]): Promise<void>;
  connect(record: ContainerRecord, network: string, settings: EndpointSettings): Promise<NetworkEndpoint>;
  /** Throws `internal` (`container x is not connected to network y`). */
  disconnect(record: ContainerRecord, network: string): Promise<void>;
  /** Called when a container's name changes: DNS answers the new name. */
  rename(record: ContainerRecord): Promise<void>;
  /**
   * DNS: whether names that other containers have too pass this one by, as long as one of those does not want it. For a container
   * that is not well, or about to stop. One that is checked begins so.
   */
  avoid(containerId: string, avoided: boolean): void;
  /** Writes hosts and resolv.conf of a running container anew: its links have changed. */
  refreshFiles(record: ContainerRecord): Promise<void>;
  /**
   * Publishes what the record of a running container asks for now and returns the ports in force; of one that does not run,
   * it only looks whether they can be asked for. Throws `invalid-argument`, or `internal` in Docker's words when one is
   * taken; what was published stays then.
   *
   * `from`: a container whose published ports go over to this one, in one transaction of the packet filter: no connection is
   * refused in between, and those there are stay with it. Its record says already that it publishes none.
   */
  republish(record: ContainerRecord, from?: ContainerRecord): Promise<ContainerRecord['ports']>;
  /** The container is gone for good. */
  forget(record: ContainerRecord): Promise<void>;
}
