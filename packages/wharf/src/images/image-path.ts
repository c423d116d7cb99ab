/** The path of a request about an image; the slashes of its name stay. */
export function imagePath(name: string, verb = ''): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/')}${verb}`;
}
