/**
 * Makes a provenance statement: which files were built from which commit, by what. The form is SLSA's provenance 1.0 in an in-toto
 * statement 1.0 (https://slsa.dev/spec/v1.0/provenance). It has no signature: GitHub signs that of a real release.
 */

const REPOSITORY = "https://github.com/sophia-platform/sophia-run";

/** A file of a release. */
export interface Subject {
  readonly name: string;
  /** Hexadecimal digits. */
  readonly sha256: string;
}

/** Returns the statement as JSON. */
export function provenance(commit: string, subjects: readonly Subject[]): string {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: `${REPOSITORY}/blob/main/docs/verify.md`,
        externalParameters: { repository: REPOSITORY },
        internalParameters: { node: process.version },
        resolvedDependencies: [{ uri: `git+${REPOSITORY}`, digest: { gitCommit: commit } }],
      },
      runDetails: { builder: { id: `${REPOSITORY}/blob/main/scripts/rehearse.mts` } },
    },
  };
  return `${JSON.stringify(statement, undefined, 2)}\n`;
}
