import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../helpers/nobody.ts";
import { folder } from "../helpers/sophia.ts";

// As `sudo -u app sophia-run …` is started by root in root's own folder.
describe("in a working directory that the user may not search", () => {
  beforeEach(({ skip }) => skip(noNobody !== undefined, noNobody));

  const place = (): string => {
    const outer = folder({ ".env": "FROM_FILE=1\n", "sophia.contract.json": "{" });
    const cwd = join(outer, "inner");
    mkdirSync(cwd, { mode: 0o700 });
    writeFileSync(join(cwd, ".env"), "FROM_FILE=1\n");
    chmodSync(outer, 0o700);
    return cwd;
  };

  test.each(["auto", "spawn"])("a start finds no files, and starts the program, mode %s", (mode) => {
    const args = ["--no-contract", "--mode", mode, "--", "sh", "-c", 'echo "${FROM_FILE-none}"; exit 3'];
    const { stdout, stderr, status } = sophiaAsNobody(args, { cwd: place() });
    expect({ stdout, stderr, status }).toEqual({ stdout: "none\n", stderr: "", status: 3 });
  });

  test("a start refuses a file that the user names", () => {
    const { status, stderr } = sophiaAsNobody(["--no-contract", "--dotenv", ".env", "--", "true"], { cwd: place() });
    expect(status).toBe(125);
    expect(stderr).toMatch(/^sophia-run: \.env cannot be read/);
  });

  test("a start refuses a file that exists and may not be read", () => {
    const cwd = folder({ ".env": "A=1\n" });
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, ".env"), 0o600);
    const { status, stderr } = sophiaAsNobody(["--no-contract", "--", "true"], { cwd });
    expect(status).toBe(125);
    expect(stderr).toMatch(/^sophia-run: \.env cannot be read/);
  });
});
