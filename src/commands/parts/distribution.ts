/**
 * The place from which users get sophia-run. A release changes only the constant in this file: `npm run docs` then rewrites the
 * documents, and `npm run release:check` compares the documents with it.
 *
 * - `checkout`: there is no release, and users build the package from a clone (`npm run package`)
 * - `release`: users download the package from a release on GitHub
 * - `registries`: users install the package from npm or PyPI
 */
export type Distribution = "checkout" | "release" | "registries";

export const DISTRIBUTION: Distribution = "checkout";
