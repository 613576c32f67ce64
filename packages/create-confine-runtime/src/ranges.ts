/** Put in by the build, from the manifests of the packages beside this one. */
declare const confineRanges: Readonly<Record<string, string>> | undefined

/** The packages that a new one depends on, with the versions that it was made for. Unbuilt, any version. */
export const ranges: Readonly<Record<string, string>> =
  typeof confineRanges === 'undefined'
    ? { '@confine-sandbox/contract': '*', '@confine-sandbox/conformance': '*', 'confine-sandbox': '*' }
    : confineRanges
