import { formatGoDuration } from '@wharf/kit/duration';
import { boolType, type GoMethod, type GoMethods, int64Type, intType, stringType } from '@wharf/kit/go-template/types';
import { goTimeFromJson } from '../go-time.ts';

function text(call: (data: string) => unknown, result = stringType): GoMethod {
  return { parameters: [], result, call: (data) => call(typeof data === 'string' ? data : '') };
}

function check(call: (data: string) => boolean): GoMethod {
  return text(call, boolType);
}

const portParts = (port: string): readonly [string, string] => {
  const slash = port.indexOf('/');
  return slash < 0 ? [port, port === '' ? '' : 'tcp'] : [port.slice(0, slash), port.slice(slash + 1) || 'tcp'];
};

/** `container:NAME` names another container. */
const container = (mode: string) => (mode.startsWith('container:') ? mode.slice('container:'.length) : '');
const isContainer = (mode: string) => mode.startsWith('container:');

const is = (...values: readonly string[]) => check((data) => values.includes(data));
const isNot = (...values: readonly string[]) => check((data) => !values.includes(data) && !isContainer(data));

interface OwnMethods {
  readonly methods: GoMethods;
  /** The JSON text, where the type marshals itself. */
  readonly marshal?: (data: unknown) => string;
}

/** The methods of docker's types that a template can call without arguments. */
export const METHODS: Readonly<Record<string, OwnMethods>> = {
  // It marshals itself through a map, which Go sorts.
  'registry.ServiceConfig': { methods: {}, marshal: sortedJson },
  'time.Time': {
    methods: {
      String: text((data) => goTimeFromJson(data)),
      IsZero: check((data) => data === '' || data.startsWith('0001-01-01T00:00:00Z')),
      Unix: text((data) => Math.trunc(Date.parse(data || '0001-01-01T00:00:00Z') / 1000), int64Type),
      Year: text((data) => Number(data.slice(0, 4) || 1), intType),
    },
  },
  'time.Duration': {
    methods: {
      String: {
        parameters: [],
        result: stringType,
        call: (data) => formatGoDuration(typeof data === 'bigint' ? data : BigInt(Math.trunc(Number(data ?? 0)))),
      },
    },
  },
  'nat.Port': {
    methods: {
      Port: text((data) => portParts(data)[0]),
      Proto: text((data) => portParts(data)[1]),
      Int: text((data) => Number.parseInt(portParts(data)[0], 10) || 0, intType),
    },
  },
  'container.NetworkMode': {
    methods: {
      ConnectedContainer: text(container),
      IsBridge: is('bridge'),
      IsContainer: check(isContainer),
      IsDefault: is('default'),
      IsHost: is('host'),
      IsNone: is('none'),
      IsPrivate: isNot('host'),
      IsUserDefined: isNot('default', 'bridge', 'host', 'none'),
      NetworkName: text((data) => (isContainer(data) ? 'container' : data)),
      UserDefined: text((data) =>
        ['default', 'bridge', 'host', 'none'].includes(data) || isContainer(data) ? '' : data,
      ),
    },
  },
  'container.IpcMode': {
    methods: {
      Container: text(container),
      IsContainer: check(isContainer),
      IsEmpty: is(''),
      IsHost: is('host'),
      IsNone: is('none'),
      IsPrivate: is('private'),
      IsShareable: is('shareable'),
    },
  },
  'container.PidMode': {
    methods: {
      Container: text(container),
      IsContainer: check(isContainer),
      IsHost: is('host'),
      IsPrivate: isNot('host'),
    },
  },
  'container.CgroupnsMode': {
    methods: { IsEmpty: is(''), IsHost: is('host'), IsPrivate: is('private') },
  },
  'container.UTSMode': { methods: { IsHost: is('host'), IsPrivate: check((data) => data !== 'host') } },
  'container.UsernsMode': { methods: { IsHost: is('host'), IsPrivate: check((data) => data !== 'host') } },
  'digest.Digest': {
    methods: {
      String: text((data) => data),
      Encoded: text((data) => data.slice(data.indexOf(':') + 1)),
      Hex: text((data) => data.slice(data.indexOf(':') + 1)),
    },
  },
  'container.RestartPolicy': {
    methods: {
      IsAlways: policy('always'),
      IsOnFailure: policy('on-failure'),
      IsUnlessStopped: policy('unless-stopped'),
      IsNone: policy('no', ''),
    },
  },
  'units.Ulimit': {
    methods: {
      String: {
        parameters: [],
        result: stringType,
        call: (data) => {
          const { Name = '', Soft = 0, Hard = 0 } = (data ?? {}) as Readonly<Record<string, unknown>>;
          return `${String(Name)}=${String(Soft)}:${String(Hard)}`;
        },
      },
    },
  },
};

function policy(...names: readonly string[]): GoMethod {
  return {
    parameters: [],
    result: boolType,
    call: (data) => names.includes((data as { readonly Name?: string } | undefined)?.Name ?? ''),
  };
}

function sortedJson(data: unknown): string {
  return JSON.stringify(data ?? null, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}
