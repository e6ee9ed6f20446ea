/**
 * The place from which others get sophia-run. This is the one place that a release changes: `npm run docs` then rewrites the documents, and
 * `npm run release:check` compares them with it.
 *
 * - `checkout`: no release exists; `npm run package` makes the package
 * - `release`: GitHub has the files of the version
 * - `registries`: npm and PyPI have it, too
 */
export type Distribution = "checkout" | "release" | "registries";

export const DISTRIBUTION: Distribution = "checkout";
