import type { Service } from '../model/service.ts';
import type { Progress } from './progress.ts';

interface ImageWork {
  readonly progress: Progress;
  readonly warn: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** An image to fetch. */
export interface PullRequest {
  /** The service that wants it first; its name is the id of the progress events. */
  readonly service: string;
  readonly image: string;
  readonly platform?: string | undefined;
  /** The service can be built instead: a pull that fails is a warning then. */
  readonly buildable: boolean;
}

/** A service whose image is to be built, in the order of `depends_on` and of contexts that name other services. */
export interface BuildRequest {
  readonly service: Service;
  readonly name: string;
  /** The image's name afterwards. */
  readonly image: string;
}

/**
 * How images come about. The runner decides which and when; whoever implements this fetches and builds. Each may be called
 * once for a run. A call is over when the images are there.
 */
export interface ImageProvider {
  /** Throws when one that cannot be built could not be had. */
  pull(requests: readonly PullRequest[], work: ImageWork): Promise<void>;
  /** Answers the ids of what was built by image name; what is left out is asked of the daemon. */
  build(requests: readonly BuildRequest[], work: ImageWork): Promise<ReadonlyMap<string, string>>;
}
