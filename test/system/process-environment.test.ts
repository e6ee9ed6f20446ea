import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseEnvironment, folder, isStandalone, sophia, sophiaRun } from "../helpers/sophia.ts";

test.each(["spawn", "auto"])(
  "in mode %s each of hundreds of variables keeps its value, whatever its name is",
  async (mode) => {
    const names = Array.from({ length: 400 }, (_, index) => [`VARIABLE_${index}`, `value ${index}`]);
    const env: Record<string, string> = {
      ...Object.fromEntries(names),
      VARIABLE: "begins the names that follow",
      EMPTY: "",
      "1x": "begins with a digit",
      "naïve.name": "café",
      ["__proto__"]: "a name like any other",
      QUOTES_ANOTHER: "VARIABLE_3=\nVARIABLE_4=x",
      LAST: "1",
    };
    const run = ["--no-contract", "--mode", mode, "--"];
    // Node.js lists names that are array indices before all other names, but env(1) appends these variables.
    const { status, stdout, stderr } = await sophia([...run, "env", "7=a", "10=", ...sophiaRun, ...run, "env", "-0"], {
      env,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const entries = stdout.split("\0").filter((entry) => !/^(?:PATH|HOME)=/.test(entry));
    const expected = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    expect(entries.toSorted()).toEqual(["", "7=a", "10=", ...expected].toSorted());
  },
);

test.for(["spawn", "auto"])(
  "in mode %s the program gets the variables as preloaded code has changed them",
  async (mode, { skip }) => {
    skip(isStandalone, "NODE_OPTIONS has no effect on the stand-alone executable");
    const code = 'process.env.VARIABLE_7 = "changed"; delete process.env.VARIABLE_8; process.env.ADDED = "new";';
    const cwd = folder({ "preload.cjs": code });
    const env = {
      ...Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`VARIABLE_${index}`, `value ${index}`])),
      NODE_OPTIONS: `--require=${join(cwd, "preload.cjs")}`,
    };
    const { status, stdout, stderr } = await sophia(["--no-contract", "--mode", mode, "--", "env"], { env, cwd });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { VARIABLE_6, VARIABLE_7, VARIABLE_8, ADDED } = parseEnvironment(stdout);
    expect({ VARIABLE_6, VARIABLE_7, VARIABLE_8, ADDED }).toEqual({
      VARIABLE_6: "value 6",
      VARIABLE_7: "changed",
      VARIABLE_8: undefined,
      ADDED: "new",
    });
  },
);

test.for(["spawn", "auto"])(
  "in mode %s the program gets neither entries that are no variables nor a second variable of the same name",
  (mode, { skip }) => {
    skip(spawnSync("cc", ["--version"]).status !== 0, "needs cc");
    const sourceFolder = folder({
      "odd.c": `#include <unistd.h>
        int main(int argc, char **argv) {
          char *env[] = {"=x", "FOO", "FO=1", "A=1", "A=2", argv[1], 0};
          return argc < 3 ? 1 : execve(argv[2], argv + 2, env);
        }`,
    });
    const oddCaller = join(sourceFolder, "odd");
    expect(spawnSync("cc", ["-o", oddCaller, join(sourceFolder, "odd.c")]).status).toBe(0);
    const path = `PATH=${process.env["PATH"] ?? ""}`;
    const args = [path, ...sophiaRun, "--no-contract", "--mode", mode, "--", "env"];
    const { status, stdout, stderr } = spawnSync(oddCaller, args, { cwd: sourceFolder, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.trim().split("\n").toSorted()).toEqual(["A=1", "FO=1", path]);
  },
);
