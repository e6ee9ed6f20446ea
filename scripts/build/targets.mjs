/** Targets of the stand-alone executables by name. Those with Bun have npm's package of it, which is also the target's name for `bun build`. */
export const TARGETS = {
  "linux-x64": {},
  "linux-arm64": {},
  "darwin-x64": { package: "bun-darwin-x64" },
  "darwin-arm64": { package: "bun-darwin-aarch64" },
  "win32-x64": { package: "bun-windows-x64", executable: "bun.exe" },
};

/** The targets whose executables the npm package has. */
export const LINUX_TARGETS = Object.keys(TARGETS).filter((target) => target.startsWith("linux"));

/** The target of this machine. */
export const HOST = `${process.platform}-${process.arch}`;

/**
 * @param asked the arguments of a script: names of targets, `--all`, or nothing for this machine
 * @returns names, which need not be those of targets
 */
export function targetsOf(asked) {
  if (asked.includes("--all")) return Object.keys(TARGETS);
  return asked.length > 0 ? asked : [HOST];
}

/** The name of the executable for a target. */
export function executableName(target) {
  return `sophia-run-${target}${target.startsWith("win32") ? ".exe" : ""}`;
}
