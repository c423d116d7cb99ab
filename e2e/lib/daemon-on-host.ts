import { TestDaemon } from './daemon.ts';
import { loadBusybox } from './images.ts';
import { OwnHost } from './own-host.ts';

/** How a host of a test's own hangs on the world: by a veth pair, whose other end is here, too. */
interface Uplink {
  readonly address: string;
  /** As `ip route add` takes it. */
  readonly route: readonly string[];
  readonly otherEnd?: string;
}

/** A daemon on a host of its own, so that what is free there and what is not is known; disposed of together. */
export class DaemonOnHost implements AsyncDisposable {
  readonly host: OwnHost;
  readonly daemon: TestDaemon;

  private constructor(host: OwnHost, daemon: TestDaemon) {
    this.host = host;
    this.daemon = daemon;
  }

  /** Starts both, with the link `up0` and the busybox image. */
  static async start({ address, route, otherEnd = 'up1' }: Uplink): Promise<DaemonOnHost> {
    const host = await OwnHost.start();
    try {
      const links = ['link add up0 type veth peer name OTHER', 'link set OTHER up', 'link set up0 up'];
      for (const line of links) await host.must('ip', ...line.replace('OTHER', otherEnd).split(' '));
      await host.must('ip', 'addr', 'add', address, 'dev', 'up0');
      await host.must('ip', 'route', 'add', ...route);
      const daemon = await TestDaemon.start({ within: host.within });
      await loadBusybox(daemon.host);
      return new DaemonOnHost(host, daemon);
    } catch (error) {
      await host.dispose();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.daemon.dispose();
    } finally {
      await this.host.dispose();
    }
  }
}
