/**
 * The commands by which users install sophia-run. They depend on the place from which users get the package (distribution.ts).
 * `init` writes the commands into workflows and images, and the documents show them.
 *
 * Until a registry has the package, the commands name a file. They must not name the package, because anyone could register its
 * name, and not a URL or a git repository, because npm 12 refuses these. A test checks that.
 */
import { type Distribution, DISTRIBUTION } from "./distribution.ts";

export const IS_ON_REGISTRIES: boolean = DISTRIBUTION === "registries";

export const VERSION = "0.1.0";

export const REPOSITORY_URL = "https://github.com/sophia-platform/sophia-run";

/** The URL below which the files of the release are. */
export const RELEASE_URL: string = `${REPOSITORY_URL}/releases/download/v${VERSION}`;

export const TARBALL_NAME = `sophia-run-${VERSION}.tgz`;

/** The folder into which the commands clone the repository, outside of the user's projects. */
const CHECKOUT_FOLDER = "~/sophia-run";

/**
 * Returns the commands that clone the repository and build the package into the working directory.
 *
 * @param option `--python ` for Python wheels; empty for the npm package
 */
export function commandsOfCheckout(option: "" | "--python " = ""): readonly [clone: string, make: string] {
  return [
    `git clone ${REPOSITORY_URL} ${CHECKOUT_FOLDER}`,
    `npm --prefix ${CHECKOUT_FOLDER} run package -- ${option}.`,
  ];
}

/** Returns the commands that build or download the npm package into the working directory; none if a registry has the package. */
export function fetchCommandsOf(distribution: Distribution): readonly string[] {
  return { checkout: commandsOfCheckout(), release: [`curl -fLO ${RELEASE_URL}/${TARBALL_NAME}`], registries: [] }[
    distribution
  ];
}

/** The same commands for the current distribution. */
export const FETCH_TARBALL_COMMANDS: readonly string[] = fetchCommandsOf(DISTRIBUTION);

/** The package as an argument of npm, pnpm, Yarn 1 and Bun. */
export const NODE_PACKAGE_ARGUMENT: string = IS_ON_REGISTRIES ? "sophia-run" : `./${TARBALL_NAME}`;

/** The package as an argument of Yarn 2 and later, which needs the package's name before the path of a file. */
export const YARN_PACKAGE_ARGUMENT: string = IS_ON_REGISTRIES ? "sophia-run" : `sophia-run@file:./${TARBALL_NAME}`;

/**
 * The beginning of a command that runs the installed package. Without `--no-install`, npx would install a missing package from the
 * registry, where the name may belong to another author.
 */
export const NPX_PREFIX: string = IS_ON_REGISTRIES ? "npx " : "npx --no-install ";

/** Returns the platform tag of the wheel for all Linux systems. scripts/wheel/platform.mjs builds wheels with the same tag. */
export function linuxWheelTag(processor: string): string {
  return ["manylinux_2_17", "manylinux2014", "musllinux_1_1"].map((system) => `${system}_${processor}`).join(".");
}

/** Returns the file name of a wheel. @param tag the platform tag */
export function wheelName(tag: string): string {
  return `sophia_run-${VERSION}-py3-none-${tag}.whl`;
}

/**
 * The commands that build the wheel into the working directory. With a release there are none, because Python's installers download
 * the wheel from its URL.
 */
export const FETCH_WHEEL_COMMANDS: readonly string[] =
  DISTRIBUTION === "checkout" ? commandsOfCheckout("--python ") : [];

/** The lines of a Dockerfile that install the package by pip. The shell of the build replaces `$(uname -m)` by the processor. */
export const WHEEL_DOCKERFILE_LINES: readonly string[] = {
  checkout: ["COPY sophia_run-*.whl /tmp/", "RUN pip install --no-cache-dir /tmp/sophia_run-*_$(uname -m).whl"],
  release: [`RUN pip install --no-cache-dir ${RELEASE_URL}/${wheelName(linuxWheelTag("$(uname -m)"))}`],
  registries: ["RUN pip install --no-cache-dir sophia-run"],
}[DISTRIBUTION];

/** Returns the package as an argument of Python's installers. @param tag the platform tag of the wheel */
export function pythonPackageArgument(tag: string): string {
  const name = wheelName(tag);
  return { checkout: `./${name}`, release: `${RELEASE_URL}/${name}`, registries: "sophia-run" }[DISTRIBUTION];
}
