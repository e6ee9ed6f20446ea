/** Makes virtual environments of Python for tests. They remain in .cache, and later runs use them again. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const INSTALL_MS = 240_000;

/** A virtual environment with the packages of requirements.txt, or why there is none. */
export type Python = { readonly bin: string } | { readonly reason: string };

/** Returns the virtual environment for test/python. */
export function prepareTestPython(): Python {
  return preparePython(join(import.meta.dirname, "requirements.txt"));
}

/** Makes a virtual environment in .cache, once for each version of Python and content of the file with the requirements. */
export function preparePython(requirements: string): Python {
  const version = spawnSync("python3", ["-c", "import sys, ensurepip, venv; print(sys.version)"], { encoding: "utf8" });
  if (version.status !== 0)
    return { reason: "needs python3 with the modules venv and ensurepip (Debian: python3-venv)" };
  const name = createHash("sha256").update(readFileSync(requirements)).update(version.stdout).digest("hex");
  const folder = join(root, ".cache/python", name.slice(0, 16));
  const bin = join(folder, "bin");
  const completeMark = join(folder, "complete");
  if (existsSync(completeMark)) return { bin };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const uv = /^uv==.*$/m.exec(readFileSync(requirements, "utf8"))?.[0] ?? "uv";
  // uv installs the other packages in a tenth of the time that pip would take.
  for (const command of [
    ["python3", "-m", "venv", folder],
    [join(bin, "pip"), "install", "--quiet", "--disable-pip-version-check", "--retries", "1", uv],
    [join(bin, "uv"), "pip", "install", "--quiet", "--python", join(bin, "python3"), "--requirement", requirements],
  ]) {
    const [file = "", ...args] = command;
    const { status, stderr } = spawnSync(file, args, { encoding: "utf8", timeout: INSTALL_MS });
    if (status !== 0)
      return {
        reason: `the packages cannot be installed from PyPI: ${
          stderr
            .trim()
            .split("\n")
            .find((line) => line.startsWith("ERROR")) ?? "in time"
        }`,
      };
  }
  writeFileSync(completeMark, "");
  return { bin };
}
