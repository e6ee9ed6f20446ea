/**
 * Commands that install sophia-run: from a release's tarball, since another person may register the unpublished name.
 * The tarball is a file, since npm 12 refuses URLs and git. A test checks that.
 */

/** A release sets it as soon as npm and PyPI have the package. */
export const IS_ON_REGISTRIES: boolean = false;

export const VERSION = "0.1.0";

export const REPOSITORY = "https://github.com/sophia-platform/sophia-run";

const RELEASE = `${REPOSITORY}/releases/download/v${VERSION}`;

export const TARBALL = `sophia-run-${VERSION}.tgz`;

export const FETCH_TARBALL: string | undefined = IS_ON_REGISTRIES ? undefined : `curl -fLO ${RELEASE}/${TARBALL}`;

/** The package for npm, pnpm, Yarn 1 and Bun. */
export const NODE_PACKAGE: string = IS_ON_REGISTRIES ? "sophia-run" : `./${TARBALL}`;

/** The package for Yarn 2 and later, which needs the name in front of a file. */
export const YARN_PACKAGE: string = IS_ON_REGISTRIES ? "sophia-run" : `sophia-run@file:./${TARBALL}`;

/** Runs the installed command. Without the option npx would install a missing one from the registry. */
export const NPX: string = IS_ON_REGISTRIES ? "npx " : "npx --no-install ";

/** One wheel for all systems of Linux, as scripts/wheel/platform.mjs names it. */
export function linuxWheelTag(processor: string): string {
  return ["manylinux_2_17", "manylinux2014", "musllinux_1_1"].map((system) => `${system}_${processor}`).join(".");
}

function wheelAddress(tag: string): string {
  return `${RELEASE}/sophia_run-${VERSION}-py3-none-${tag}.whl`;
}

/** The package for pip in an image. The shell of the build fills in the processor. */
export const WHEEL_IN_IMAGE: string = IS_ON_REGISTRIES ? "sophia-run" : wheelAddress(linuxWheelTag("$(uname -m)"));

export function pythonPackage(tag: string): string {
  return IS_ON_REGISTRIES ? "sophia-run" : wheelAddress(tag);
}
