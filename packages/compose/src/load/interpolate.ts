import { type Cast, toBoolean, toFloat, toFloat32, toInt, toInt64 } from './casts.ts';
import { compileRules, type Place, placeOf, placeText, type RuleStep, stepInto } from './path-rules.ts';
import { Problem } from './problem.ts';
import { InvalidTemplate, type Lookup, MissingVariable, substitute } from './template.ts';
import { type Dict, isDict, type Value } from './values.ts';

const CASTS = compileRules<Cast>({
  'services.*.cpu_count': toInt64,
  'services.*.cpu_percent': toFloat,
  'services.*.cpu_period': toInt64,
  'services.*.cpu_quota': toInt64,
  'services.*.cpu_rt_period': toInt64,
  'services.*.cpu_rt_runtime': toInt64,
  'services.*.cpus': toFloat32,
  'services.*.cpu_shares': toInt64,
  'services.*.init': toBoolean,
  'services.*.deploy.replicas': toInt,
  'services.*.deploy.update_config.parallelism': toInt,
  'services.*.deploy.update_config.max_failure_ratio': toFloat,
  'services.*.deploy.rollback_config.parallelism': toInt,
  'services.*.deploy.rollback_config.max_failure_ratio': toFloat,
  'services.*.deploy.restart_policy.max_attempts': toInt,
  'services.*.deploy.placement.max_replicas_per_node': toInt,
  'services.*.healthcheck.retries': toInt,
  'services.*.healthcheck.disable': toBoolean,
  'services.*.oom_kill_disable': toBoolean,
  'services.*.oom_score_adj': toInt64,
  'services.*.pids_limit': toInt64,
  'services.*.ports.[].target': toInt,
  'services.*.privileged': toBoolean,
  'services.*.read_only': toBoolean,
  'services.*.scale': toInt,
  'services.*.stdin_open': toBoolean,
  'services.*.tty': toBoolean,
  'services.*.ulimits.*': toInt,
  'services.*.ulimits.*.hard': toInt,
  'services.*.ulimits.*.soft': toInt,
  'services.*.volumes.[].read_only': toBoolean,
  'services.*.volumes.[].volume.nocopy': toBoolean,
  'networks.*.external': toBoolean,
  'networks.*.internal': toBoolean,
  'networks.*.attachable': toBoolean,
  'networks.*.enable_ipv4': toBoolean,
  'networks.*.enable_ipv6': toBoolean,
  'volumes.*.external': toBoolean,
  'secrets.*.external': toBoolean,
  'configs.*.external': toBoolean,
});

export interface InterpolateOptions {
  readonly lookup: Lookup;
  readonly warn: (message: string) => void;
}

/**
 * Replaces the variables in all texts of a document (not in keys), in place, and gives texts the type of their attribute.
 * Throws a `Problem` in compose's words.
 */
export function interpolate(document: Dict, options: InterpolateOptions): void {
  const unset = (name: string): void =>
    options.warn(`The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`);
  const walker = new Walker(options, unset);
  for (const key of Object.keys(document))
    document[key] = walker.walk(document[key] ?? null, placeOf(undefined, key), stepInto(CASTS, key));
}

class Walker {
  readonly #options: InterpolateOptions;
  readonly #unset: (name: string) => void;

  constructor(options: InterpolateOptions, unset: (name: string) => void) {
    this.#options = options;
    this.#unset = unset;
  }

  walk(value: Value, place: Place, step: RuleStep<Cast> | undefined): Value {
    if (typeof value === 'string') return this.#text(value, place, step?.rule);
    if (Array.isArray(value)) {
      const below = stepInto(step, '[]');
      for (const [index, item] of value.entries()) value[index] = this.walk(item, placeOf(place, String(index)), below);
    } else if (isDict(value)) {
      for (const key of Object.keys(value))
        value[key] = this.walk(value[key] ?? null, placeOf(place, key), stepInto(step, key));
    }
    return value;
  }

  #text(text: string, place: Place, cast: Cast | undefined): Value {
    if (cast === undefined && !text.includes('$')) return text;
    let result: string;
    try {
      result = substitute(text, { lookup: this.#options.lookup, unset: this.#unset });
    } catch (error) {
      throw templateProblem(error, place);
    }
    if (cast === undefined) return result;
    try {
      return cast(result, this.#options.warn);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Problem(`error while interpolating ${listText(place)}: failed to cast to expected type: ${reason}`, {
        place,
      });
    }
  }
}

function templateProblem(error: unknown, place: Place): unknown {
  if (error instanceof InvalidTemplate)
    return new Problem(
      `invalid interpolation format for ${listText(place)}.\nYou may need to escape any $ with another $.\n${error.template}`,
      { place, suggestion: 'a variable is $NAME or ${NAME}; a dollar sign is $$' },
    );
  if (error instanceof MissingVariable)
    return new Problem(`error while interpolating ${listText(place)}: ${error.message}`, {
      place,
      suggestion: 'set the variable in the environment, in .env or with --env-file',
    });
  return error;
}

/** compose does not count list items in these messages. */
function listText(place: Place): string {
  return placeText(place).replace(/\.\d+(?=\.|$)/g, '.[]');
}
