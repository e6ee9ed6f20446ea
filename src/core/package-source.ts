/**
 * How sophia-run is installed. While the package is on no registry, its name there belongs to whoever takes it. So
 * until `IS_ON_REGISTRIES` is true, all that is printed, and every document, installs the tarball of a GitHub release,
 * as a file: npm 12 refuses addresses and git. A test looks for the other form.
 */

/** A release sets it once npm and PyPI both have the package. */
export const IS_ON_REGISTRIES: boolean = false;

export const VERSION = "0.1.0";

export const REPOSITORY = "https://github.com/sophia-platform/sophia-run";

const RELEASE = `${REPOSITORY}/releases/download/v${VERSION}`;

export const TARBALL = `sophia-run-${VERSION}.tgz`;

/** Fetches the tarball into the working directory; undefined if a registry has the package. */
export const FETCH_TARBALL: string | undefined = IS_ON_REGISTRIES ? undefined : `curl -fLO ${RELEASE}/${TARBALL}`;

/** The package as npm, pnpm, Yarn 1 and Bun add it. */
export const NODE_PACKAGE: string = IS_ON_REGISTRIES ? "sophia-run" : `./${TARBALL}`;

/** The package as Yarn adds it from its version 2 on, which needs the name of a file's package. */
export const YARN_PACKAGE: string = IS_ON_REGISTRIES ? "sophia-run" : `sophia-run@file:./${TARBALL}`;

/** Runs the installed command by npm. Without the option npx installs from the registry what is not there. */
export const NPX: string = IS_ON_REGISTRIES ? "npx " : "npx --no-install ";

export function wheelAddress(tag: string): string {
  return `${RELEASE}/sophia_run-${VERSION}-py3-none-${tag}.whl`;
}

/** The package as pip installs it in an image with glibc, whose processor only the build knows. */
export const WHEEL_IN_IMAGE: string = IS_ON_REGISTRIES ? "sophia-run" : wheelAddress("manylinux_2_17_$(uname -m)");

export function pythonPackage(tag: string): string {
  return IS_ON_REGISTRIES ? "sophia-run" : wheelAddress(tag);
}
