import type { Operation } from '../operation.ts';
import { hookOperations } from './hooks.ts';
import { namespaceOperations } from './namespaces.ts';
import { policyOperations } from './policy.ts';
import { retentionOperations } from './retention.ts';
import { robotOperations } from './robots.ts';
import { upkeepOperations } from './upkeep.ts';
import { tokenOperations, userOperations } from './users.ts';

/** Everything an administrator may do. */
export const OPERATIONS: readonly Operation[] = [
  ...userOperations,
  ...tokenOperations,
  ...robotOperations,
  ...namespaceOperations,
  ...policyOperations,
  ...retentionOperations,
  ...hookOperations,
  ...upkeepOperations,
];
