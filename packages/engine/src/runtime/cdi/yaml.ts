import { createRequire } from 'node:module';

/** Loaded when the first YAML file is met: most hosts have none. */
const require = createRequire(import.meta.url);

const MAX_ALIASES = 100;

/**
 * Reads a YAML document as the tools that write CDI specifications do (sigs.k8s.io/yaml): numbers with a leading zero are octal, as file
 * modes are written, and words are words. Throws what is wrong, with the line.
 */
export function readYaml(text: string): unknown {
  const { load, CORE_SCHEMA, intYaml11Tag, mergeTag } = require('js-yaml') as typeof import('js-yaml');
  return load(text, { schema: CORE_SCHEMA.withTags(intYaml11Tag, mergeTag), maxAliases: MAX_ALIASES });
}
