/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  readonly major: number;
  readonly minor: number;
  /** The directory of the filesystem that is this mount's root. */
  readonly root: string;
  readonly mountPoint: string;
  /** Per-mount options, `rw,nosuid`. */
  readonly options: readonly string[];
  /** Optional fields, `shared:1`, `master:2`. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  /** The filesystem's own options. */
  readonly superOptions: readonly string[];
}

/** Undoes the kernel's octal escapes of space, tab, newline, backslash and hash. */
export function unescapeMountField(field: string): string {
  return field.includes('\\')
    ? field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    : field;
}

/** Parses the file; lines that do not look like its format are left out. */
export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split('\n')) {
    const entry = parseLine(line);
    if (entry) entries.push(entry);
  }
  return entries;
}

function parseLine(line: string): MountEntry | undefined {
  const fields = line.split(' ');
  // The optional fields end at a lone dash, which no mount point can be: those start with a slash.
  const dash = fields.indexOf('-', 6);
  if (dash < 0) return undefined;
  const [id, parentId, device = '', root = '', mountPoint = '', options = ''] = fields;
  const [major, minor] = device.split(':');
  const [type = '', source = '', superOptions = ''] = fields.slice(dash + 1);
  return {
    id: Number(id),
    parentId: Number(parentId),
    major: Number(major),
    minor: Number(minor),
    root: unescapeMountField(root),
    mountPoint: unescapeMountField(mountPoint),
    options: options.split(','),
    propagation: fields.slice(6, dash),
    type,
    source: unescapeMountField(source),
    superOptions: superOptions.split(','),
  };
}
