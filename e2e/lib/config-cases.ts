/** Compose files of our own, read by both sides in `compose-config.test.ts`: what they print has to be the same. */
export interface ConfigCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Which of them are read, when it is not `compose.yaml`. */
  readonly read?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly profiles?: readonly string[];
}

const attribute = (body: string): string => `services:\n  web:\n    image: a\n${body.replace(/^/gm, '    ')}\n`;

/** Files that are in order. */
export const CONFIG_CASES: readonly ConfigCase[] = [
  {
    name: 'an application',
    files: {
      'compose.yaml': `
name: shop-\${STAGE:-dev}
x-common: &common
  restart: unless-stopped
  logging: &logging {driver: json-file, options: {max-size: 10m}}
services:
  front:
    <<: *common
    image: nginx:\${NGINX_TAG-1.27}
    ports: ["\${PORT:-8080}:80", "127.0.0.1:9000-9002:9000-9002/udp", {target: 443, published: "8443", mode: host, name: tls}]
    depends_on: {app: {condition: service_healthy, restart: true}, cache: {condition: service_started, required: false}}
    configs: [{source: nginx, target: /etc/nginx/nginx.conf, mode: 0440}]
    networks: {front: {aliases: [www], priority: 10}, back: }
  app:
    <<: [*common]
    build: {context: ./app, args: [VERSION, "STATIC=1"], target: prod, cache_from: [type=gha], tags: [shop/app]}
    environment: {DB: "postgres://db/\${DB_NAME:?}", EMPTY: , SECRET_FROM_ENV: , DEBUG: "\${DEBUG:+1}"}
    env_file: [app.env, {path: local.env, required: false}]
    healthcheck: {test: curl -f http://localhost/, interval: 1m30s, retries: 3, start_period: 2d}
    secrets: [token, {source: key, target: ssh_key, uid: "1000", mode: 256}]
    deploy: {replicas: 2, resources: {limits: {cpus: "0.50", memory: 50M}, reservations: {memory: 20M}}}
    networks: [back]
    volumes: ["data:/data", "./src:/src:ro", "~/cache:/cache", /tmp, {type: tmpfs, target: /t, tmpfs: {size: 10m}}]
  cache: {image: redis, profiles: [cache], command: redis-server --save "" --port 6379, networks: [back]}
networks: {front: , back: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}}}
volumes: {data: {labels: {keep: yes}}, unused: }
configs: {nginx: {file: ./nginx.conf}}
secrets: {token: {environment: TOKEN}, key: {file: ./key}}
x-notes: {a: [1, 2.5, null, true], b: {c: 1e6}}
`,
      'app.env': 'A=1\nB="two $A"\nexport C=\'$A\' # three\nDB=no\n',
      '.env': 'DB_NAME=shop\nTOKEN=secret\nVERSION=${STAGE:-none}\nDEBUG=x\n',
    },
  },
  {
    name: 'variables in every form',
    files: {
      'compose.yaml': attribute(
        `labels:
  a: $SET
  b: \${SET}\${SET}
  c: \${UNSET:-d}
  d: \${UNSET-\${SET:-x}}
  e: \${EMPTY:-d}\${EMPTY-d}
  f: \${SET:+there} \${EMPTY:+there} \${EMPTY+there}
  g: $$SET $$\${SET}
  h: "\${UNSET:-a:b-c?d+e} $1 $"
  i: \${UNSET}
command: sh -c "echo $$HOME \${SET}"
cpus: "\${CPUS:-0.5}"
privileged: "\${PRIVILEGED:-yes}"
ports: [{target: "\${PORT:-80}", published: "\${PORT:-80}"}]`,
      ),
    },
    environment: { SET: 'va$lue', EMPTY: '' },
  },
  {
    name: 'overrides',
    files: {
      'compose.yaml': `
services:
  web:
    image: a
    command: [a]
    environment: {A: 1, B: 2}
    labels: [a=1, b=2]
    ports: ["80:80", "8000-8002:8000-8002"]
    volumes: ["./a:/a", "data:/d"]
    logging: {driver: json-file, options: {a: "1"}}
    networks: [one]
    depends_on: [db]
    dns: 1.1.1.1
    ulimits: {nofile: 5}
    extra_hosts: ["a:1.1.1.1"]
    cap_add: [A]
  db: {image: d, environment: [X=1], ports: ["5432:5432"], healthcheck: {test: x}}
networks: {one: {labels: {a: 1}}, two: }
volumes: {data: }
`,
      'compose.override.yaml': `
services:
  web:
    command: !reset null
    environment: [B=3, C]
    labels: {b: 3}
    ports: ["8001:8001", "81:81"]
    volumes: ["./b:/a", /e]
    logging: {driver: syslog}
    networks: {two: {aliases: [x]}}
    depends_on: {db: {condition: service_healthy}}
    dns: [2.2.2.2, 1.1.1.1]
    ulimits: {nofile: {soft: 1, hard: 2}}
    extra_hosts: {b: 2.2.2.2, a: 1.1.1.1}
    cap_add: [B]
  db: {environment: !override [Y=2], ports: !reset []}
networks: {one: {labels: [b=2]}}
`,
    },
    read: ['compose.yaml', 'compose.override.yaml'],
  },
  {
    name: 'extends and include',
    files: {
      'compose.yaml': `
include:
  - db/compose.yaml
  - {path: [cache/compose.yaml, cache/more.yaml], env_file: cache.env}
services:
  web: {extends: {file: shared/base.yaml, service: web}, environment: {B: own}, depends_on: [db]}
  worker: {extends: web, command: work}
`,
      'shared/base.yaml':
        'services:\n  web: {extends: root, build: ., env_file: web.env, volumes: ["./v:/v"]}\n  root: {image: r, environment: {A: 1, B: 2}, label_file: l.env}\n',
      'shared/web.env': 'W=1\n',
      'shared/l.env': 'lab=el\n',
      'db/compose.yaml':
        'services: {db: {image: "pg:${PG}", volumes: ["data:/d", "./init:/i"], build: {context: ./i}}}\nvolumes: {data: }\n',
      'db/.env': 'PG=16\n',
      'cache/compose.yaml': 'services: {cache: {image: "redis:${REDIS}"}}\n',
      'cache/more.yaml': 'services: {cache: {command: more}}\n',
      'cache.env': 'REDIS=7\n',
    },
  },
  {
    name: 'several documents, anchors and odd scalars',
    files: {
      'compose.yaml': `
services: {web: &web {image: a, labels: &l {i: 1, f: 1.0, g: 1e6, b: true, n: , o: 0777, h: 0x1f, s: "1", y: yes, big: 12345678901234567890}}}
---
services:
  web: {labels: {text: "a\\tb", multi: "a\\nb\\n", emoji: "\\U0001F600", lead: " x", hash: "a #b", colon: "a: b", "10": x, "9": y}}
  two: {<<: &two {image: b, command: "x 'y z' \\\\ w"}, entrypoint: ["", "null", "1", "~", "- a", "*b"]}
---
services: {three: {image: c, annotations: {<<: {k: v}, l: w}}}
x-list: [[1, [2]], [], {}, {a: []}]
`,
    },
  },
  {
    name: 'build in full',
    files: {
      'compose.yaml': `
services:
  web:
    build:
      context: https://example.com/repo.git#main
      dockerfile_inline: |
        FROM scratch
        COPY $$x /
      additional_contexts: [base=docker-image://alpine, other=./o, img=service:db]
      ssh: [default]
      labels: [a=b]
      no_cache: true
      pull: "true"
      network: host
      shm_size: 64m
      extra_hosts: ["a=1.1.1.1,2.2.2.2"]
      secrets: [s]
      ulimits: {nofile: 10}
      platforms: [linux/amd64, linux/arm64]
      privileged: true
      provenance: mode=max
      sbom: true
      entitlements: [security.insecure]
      isolation: default
    platform: linux/amd64
  db: {build: ./db}
secrets: {s: {file: ./s}}
`,
    },
  },
  {
    name: 'profiles',
    files: {
      'compose.yaml':
        'services:\n  a: {image: a}\n  b: {image: b, profiles: [x], networks: [n]}\n  c: {image: c, profiles: [y], volumes: ["v:/vv"]}\nnetworks: {n: }\nvolumes: {v: }\n',
    },
    profiles: ['x'],
  },
  {
    name: 'external and named resources',
    files: {
      'compose.yaml': `
services: {web: {image: a, networks: [n1, n2, n3], volumes: ["v1:/1", "v2:/2", "v3:/3"], configs: [c1, c2, c3], secrets: [s1]}}
networks: {n1: {external: true}, n2: {name: other}, n3: {external: true, name: there}}
volumes: {v1: {external: true}, v2: {name: other, driver: local, driver_opts: {type: none, o: bind, device: ./dev}}, v3: {x-a: 1}}
configs: {c1: {external: true}, c2: {content: "a $$b\\n"}, c3: {environment: TEXT}}
secrets: {s1: {external: true, name: there}}
`,
    },
    environment: { TEXT: 'hidden' },
  },
  {
    name: 'devices, limits, hooks and watch',
    files: {
      'compose.yaml': attribute(
        `devices: [/dev/a, "/dev/b:/dev/c:r", {source: /dev/d, target: /dev/e}]
gpus: all
blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 12mb}], weight_device: [{path: /dev/sda, weight: 400}]}
mem_limit: 1.5g
memswap_limit: -1
mem_swappiness: 60
oom_score_adj: -500
pids_limit: 100
cpu_percent: 12.5
cpus: 0.1
shm_size: 64M
stop_grace_period: 1m10s
sysctls: [a=1]
tmpfs: [/run, "/tmp:size=1m"]
develop: {watch: [{path: ., action: sync, target: /app, ignore: node_modules/}, {path: p, action: rebuild}, {path: q, action: sync+exec, target: /q, exec: {command: make it}}]}
post_start: [{command: echo hi, user: root, environment: [A=1]}]
pre_stop: [{command: [sleep, "1"]}]
credential_spec: {file: x.json}
group_add: [audio, 1000]
provider: {type: p, options: {a: b, c: [1, d]}}`,
      ),
    },
  },
];

/** Files that are refused: both sides have to say the same. */
export const CONFIG_REFUSALS: readonly (readonly [string, string])[] = [
  ['an unknown key', attribute('imge: x')],
  ['an unknown section', 'service: {web: {image: a}}'],
  ['a number for a text', attribute('hostname: 5')],
  ['a text for a list', attribute('ports: "80"')],
  ['a bad port', attribute('ports: ["80:x"]')],
  ['a bad range', attribute('ports: ["1-3:4-5"]')],
  ['a bad volume', attribute('volumes: ["aa:/b:cc:dd"]')],
  ['a bad duration', attribute('healthcheck: {interval: 5x}')],
  ['a bad size', attribute('mem_limit: 5x')],
  ['a bad condition', attribute('depends_on: {web: {condition: fine}}')],
  ['an undefined network', attribute('networks: [n]')],
  ['an undefined volume', attribute('volumes: ["vv:/x"]')],
  ['an undefined secret', attribute('secrets: [s]')],
  ['an undefined service', attribute('depends_on: [other]')],
  ['a circle', 'services: {a: {image: x, depends_on: [a]}}'],
  ['no image', 'services: {a: {command: x}}'],
  ['two of a target', attribute('volumes: ["./a:/x", "/yy"]\ntmpfs: /yy')],
  ['a missing variable', attribute('command: ${X:?is needed}')],
  ['a broken variable', attribute('command: "${"')],
  ['a variable of the wrong type', attribute('scale: "${N:-many}"')],
  ['the same key twice', attribute('hostname: a\nhostname: b')],
  ['the same section twice', 'services: {web: {image: a}}\nvolumes: {}\nservices: {}\n'],
  ['a key that is a number', attribute('labels: {1: x}')],
  ['a colon in a text', attribute('command: a: b')],
  ['a tab', 'services:\n\tweb: {image: a}\n'],
  ['an open quote', 'services: {web: {image: "a}}\n'],
  ['an unknown anchor', 'services: {web: *a}\n'],
  ['nothing', ''],
  ['replicas twice', attribute('scale: 2\ndeploy: {replicas: 3}')],
  ['a secret without source', 'services: {web: {image: a}}\nsecrets: {s: {}}\n'],
  ['an extended service that is not there', 'services: {web: {extends: base}}\n'],
  ['a circle of extends', 'services: {a: {extends: a}}\n'],
  ['an include that is not there', 'include: [no.yaml]\n'],
  ['an env_file that is not there', attribute('env_file: no.env')],
  ['an alias as a date', attribute('labels: {d: 2024-01-01}')],
  ['a healthcheck without CMD', attribute('healthcheck: {test: [curl, x]}')],
];
