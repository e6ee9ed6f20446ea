/** sophia-run installed in a space whose root is the machine's, as the package and as the executable. */
import { chmodSync, copyFileSync, cpSync, existsSync, rmSync, symlinkSync } from "node:fs";

const INSTALLED = "/usr/local/bin/sophia-run";
const EXECUTABLE = `dist-standalone/sophia-run-linux-${process.arch}`;

export interface Form {
  readonly name: "package" | "executable";
  /** Replaces what is installed. */
  readonly install: () => void;
}

/** Returns the forms that are built. */
export function builtForms(): readonly Form[] {
  const npm = { name: "package", install: installPackage } as const;
  if (existsSync(EXECUTABLE)) return [npm, { name: "executable", install: installExecutable }];
  console.log("not run: the executable, which is not built (npm run build:standalone)");
  return [npm];
}

/** Installs sophia-run as npm does. */
function installPackage(): void {
  rmSync(INSTALLED, { force: true });
  for (const each of ["bin", "dist", "package.json"]) {
    cpSync(each, `/opt/sophia-run/${each}`, { recursive: true, dereference: true });
  }
  chmodSync("/opt/sophia-run/bin/sophia-run.cjs", 0o755);
  symlinkSync("/opt/sophia-run/bin/sophia-run.cjs", INSTALLED);
}

function installExecutable(): void {
  rmSync(INSTALLED, { force: true });
  copyFileSync(EXECUTABLE, INSTALLED);
  chmodSync(INSTALLED, 0o755);
}
