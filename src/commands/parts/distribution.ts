/**
 * The place from which users get sophia-run. A release changes only this constant: `npm run docs` then rewrites the documents, and
 * `npm run release:check` compares the documents with it.
 *
 * - `checkout`: there is no release; the user builds the package from a clone (`npm run package`)
 * - `release`: the files of the version are at a release on GitHub
 * - `registries`: npm and PyPI have the version, as well as GitHub
 */
export type Distribution = "checkout" | "release" | "registries";

export const DISTRIBUTION: Distribution = "checkout";
