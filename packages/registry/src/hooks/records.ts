export const HOOK_ACTIONS = ['push', 'delete', 'pull', 'quota'] as const;
export type HookAction = (typeof HOOK_ACTIONS)[number];

export interface HookRecord {
  readonly url: string;
  /** In clear, since deliveries are signed with it. */
  readonly secret: string;
  readonly actions: readonly HookAction[];
  /** A pattern of repositories; of namespaces for `quota`. */
  readonly repository: string;
  readonly createdAt: number;
}

/** By `hook/number of the event`, the last ones of each hook. */
export interface DeliveryRecord {
  readonly action: HookAction;
  readonly repository: string;
  readonly at: number;
  readonly attempts: number;
  readonly isDelivered: boolean;
  /** The last answer's status, or what kept it from coming. */
  readonly answer: string;
}
