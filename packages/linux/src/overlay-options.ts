/** Escapes what overlayfs itself splits at: `:` between lower directories, `,` between options, and the backslash. */
export function escapeOverlayPath(path: string): string {
  return path.replace(/[\\:,]/g, (character) => `\\${character}`);
}

/** The option string of an overlay for mount(2). */
export function overlayOptions(overlay: {
  readonly lowerDirs: readonly string[];
  readonly upperDir?: string | undefined;
  readonly workDir?: string | undefined;
  readonly extraOptions?: readonly string[];
}): string {
  const options = [`lowerdir=${overlay.lowerDirs.map(escapeOverlayPath).join(':')}`];
  if (overlay.upperDir !== undefined) options.push(`upperdir=${escapeOverlayPath(overlay.upperDir)}`);
  if (overlay.workDir !== undefined) options.push(`workdir=${escapeOverlayPath(overlay.workDir)}`);
  options.push(...(overlay.extraOptions ?? []));
  return options.join(',');
}
