/** Whether a release as uname(2) gives it is at least `wanted` (major, minor). */
export function kernelAtLeast(release: string, wanted: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}
