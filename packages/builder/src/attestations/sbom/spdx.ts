import { createHash } from 'node:crypto';
import { packageUrl } from '../package-url.ts';
import { licenseExpression, type OwnLicenses } from './licenses.ts';
import { MAX_PLACES } from './limits.ts';
import type { FoundPackage } from './package.ts';
import type { Scan } from './scan-job.ts';

/** What the document is about and when it was made. */
export interface SpdxSubject {
  readonly name: string;
  /** RFC 3339, whole seconds, UTC. */
  readonly created: string;
  readonly tool: string;
}

const ROOT = 'SPDXRef-DocumentRoot';
const DOCUMENT = 'SPDXRef-DOCUMENT';
const NOTHING_SAID = 'NOASSERTION';

/** A list of packages as an SPDX 2.3 document (https://spdx.github.io/spdx-spec/v2.3/); the same for the same packages. */
export function spdxDocument({ packages, unread }: Scan, { name, created, tool }: SpdxSubject): object {
  const own: OwnLicenses = new Map();
  const entries = [...byUrl(packages)].sort(([one], [other]) => (one < other ? -1 : 1));
  const listed = entries.map(([url, found]) => packageEntry(url, found, own));
  const root = {
    ...{ name, SPDXID: ROOT, versionInfo: '', downloadLocation: NOTHING_SAID, filesAnalyzed: false },
    ...{ licenseConcluded: NOTHING_SAID, licenseDeclared: NOTHING_SAID, copyrightText: NOTHING_SAID },
    primaryPackagePurpose: 'CONTAINER',
  };
  const content = createHash('sha256')
    .update(JSON.stringify([name, created, listed]))
    .digest('hex');
  const annotations = unread.map(({ path, reason }) => ({
    ...{ annotationDate: created, annotationType: 'OTHER', annotator: `Tool: ${tool}` },
    comment: `/${path} could not be read: ${reason}`,
  }));
  return {
    ...{ spdxVersion: 'SPDX-2.3', dataLicense: 'CC0-1.0', SPDXID: DOCUMENT, name },
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(name)}-${content.slice(0, 32)}`,
    creationInfo: { creators: [`Tool: ${tool}`], created },
    ...(annotations.length > 0 ? { annotations } : {}),
    packages: [root, ...listed],
    ...(own.size > 0
      ? { hasExtractedLicensingInfos: [...own].sort(([one], [other]) => (one < other ? -1 : 1)).map(ownLicense) }
      : {}),
    relationships: [
      { spdxElementId: DOCUMENT, relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...listed.map(({ SPDXID }) => ({
        ...{ spdxElementId: ROOT, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID },
      })),
    ],
  };
}

/** Every package once, with all the places it was found in. */
function byUrl(packages: Scan['packages']): ReadonlyMap<string, Scan['packages']> {
  const found = new Map<string, Scan['packages'][number][]>();
  for (const each of packages) {
    const url = packageUrl(each);
    const same = found.get(url);
    if (same === undefined) found.set(url, [each]);
    else same.push(each);
  }
  return found;
}

function packageEntry(url: string, found: Scan['packages'], own: OwnLicenses) {
  const [first] = found;
  const { type = '', name = '', namespace = '', version = '', supplier } = first ?? ({} as Partial<FoundPackage>);
  const hash = createHash('sha256').update(url).digest('hex').slice(0, 16);
  const checksums = found.find((each) => (each.checksums ?? []).length > 0)?.checksums ?? [];
  const places = [...new Set(found.map(({ foundIn }) => `/${foundIn}`))].sort();
  const more = places.length > MAX_PLACES ? ` and ${places.length - MAX_PLACES} more` : '';
  return {
    name: fullName(type, namespace, name),
    SPDXID: `SPDXRef-Package-${type}-${name.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 100)}-${hash}`,
    versionInfo: version,
    supplier: supplierOf(supplier),
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    ...(checksums.length > 0
      ? { checksums: checksums.map(({ algorithm, value }) => ({ algorithm, checksumValue: value })) }
      : {}),
    sourceInfo: `package information from: ${places.slice(0, MAX_PLACES).join(', ')}${more}`,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: licenseExpression(found.find(({ license }) => license !== undefined)?.license, own),
    copyrightText: NOTHING_SAID,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}

/** As the package's own tools call it. */
function fullName(type: string, namespace: string, name: string): string {
  return namespace === '' || type === 'deb' || type === 'apk' ? name : `${namespace}/${name}`;
}

/** `Name <address>` as SPDX writes it. */
function supplierOf(text: string | undefined): string {
  const [, name = '', address = ''] = /^([^<]*?)\s*(?:<([^>]*)>)?$/.exec(text ?? '') ?? [];
  if (name === '') return NOTHING_SAID;
  return `Person: ${name}${address === '' ? '' : ` (${address})`}`;
}

function ownLicense([licenseId, name]: readonly [string, string]): object {
  return { licenseId, name, extractedText: name };
}
