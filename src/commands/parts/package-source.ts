/**
 * Commands that install sophia-run, by where it can be had (distribution.ts). Until a registry has it, the package is a file: another
 * person may register the unpublished name, and npm 12 refuses URLs and git. A test checks that.
 */
import { type Distribution, DISTRIBUTION } from "./distribution.ts";

export const IS_ON_REGISTRIES: boolean = DISTRIBUTION === "registries";

export const VERSION = "0.1.0";

export const REPOSITORY = "https://github.com/sophia-platform/sophia-run";

/** The address of a release's files. */
export const RELEASE: string = `${REPOSITORY}/releases/download/v${VERSION}`;

export const TARBALL = `sophia-run-${VERSION}.tgz`;

/** The folder of the commands for a clone, which is in no project. */
const CHECKOUT = "~/sophia-run";

/** Returns the commands that make the files of the package in the working directory, from a new checkout. */
export function commandsOfCheckout(option: "" | "--python " = ""): readonly [clone: string, make: string] {
  return [`git clone ${REPOSITORY} ${CHECKOUT}`, `npm --prefix ${CHECKOUT} run package -- ${option}.`];
}

/** Returns the commands that bring the package into the working directory; none if a registry has it. */
export function commandsThatFetch(distribution: Distribution): readonly string[] {
  return { checkout: commandsOfCheckout(), release: [`curl -fLO ${RELEASE}/${TARBALL}`], registries: [] }[distribution];
}

export const FETCH_TARBALL: readonly string[] = commandsThatFetch(DISTRIBUTION);

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

export function wheelName(tag: string): string {
  return `sophia_run-${VERSION}-py3-none-${tag}.whl`;
}

/** Installers for Python read the file at its address. Without a release it must be in the working directory first. */
export const FETCH_WHEEL: readonly string[] = DISTRIBUTION === "checkout" ? commandsOfCheckout("--python ") : [];

/** The instructions that install the package by pip in an image. The shell of the build fills in the processor. */
export const WHEEL_IN_IMAGE: readonly string[] = {
  checkout: ["COPY sophia_run-*.whl /tmp/", "RUN pip install --no-cache-dir /tmp/sophia_run-*_$(uname -m).whl"],
  release: [`RUN pip install --no-cache-dir ${RELEASE}/${wheelName(linuxWheelTag("$(uname -m)"))}`],
  registries: ["RUN pip install --no-cache-dir sophia-run"],
}[DISTRIBUTION];

/** The package for installers of Python. */
export function pythonPackage(tag: string): string {
  const name = wheelName(tag);
  return { checkout: `./${name}`, release: `${RELEASE}/${name}`, registries: "sophia-run" }[DISTRIBUTION];
}
