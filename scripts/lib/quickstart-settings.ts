/** The daemon that `npm start` runs: wharfd's own defaults. */
export const QUICKSTART = {
  socketPath: '/run/wharf.sock',
  dataRoot: '/var/lib/wharf',
  execRoot: '/run/wharf',
  pidfile: '/run/wharf/wharfd.pid',
  logPath: '/var/log/wharfd.log',
  bridge: 'wharf0',
  nftTable: 'wharf',
} as const;

export const DEMO_NAME = 'wharf-demo';
export const DEMO_IMAGE = 'wharf/demo:latest';
