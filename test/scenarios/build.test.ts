import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { copyOfPackage, folder } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");

it("a checkout that is not built fails with the command that builds it", () => {
  const path = copyOfPackage();
  for (const name of ["dist", "bin/sophia-run.cjs"]) rmSync(join(path, name), { recursive: true });
  const args = [join(path, "bin/sophia-run"), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: expect.stringContaining("npm run build"),
  });
});

it("a build is repeated only if its inputs have changed or one of its files is missing", () => {
  const path = copyOfPackage();
  for (const name of ["src", "scripts", "package.json"])
    cpSync(join(root, name), join(path, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  const command = join(path, "bin/sophia-run.cjs");
  // A file that is replaced has another inode.
  const build = (): number => {
    const { status } = spawnSync(process.execPath, [join(path, "scripts/build.mjs"), "--if-changed"]);
    expect(status).toBe(0);
    return statSync(command).ino;
  };
  const first = statSync(command).ino;
  expect(build()).toBe(first);
  appendFileSync(join(path, "src/core/text.ts"), "// changed\n");
  const second = build();
  expect(second).not.toBe(first);
  expect(build()).toBe(second);
  rmSync(command);
  build();
});

it("a Node.js that is too old is an error without a stack trace", () => {
  const older = join(folder({ "older.cjs": "delete process.getBuiltinModule;" }), "older.cjs");
  const args = ["--require", older, join(root, "bin/sophia-run.cjs"), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: expect.stringMatching(/^sophia-run: Node\.js v\S+ [^\n]*\n[^\n]*20\.19[^\n]*\n$/),
  });
});

it("the notices name the licence of each package in the bundle", () => {
  const check = spawnSync(process.execPath, [join(root, "scripts/notices.mjs"), "--check"], { encoding: "utf8" });
  expect(check.stderr).toBe("");
  expect(check.status).toBe(0);
});
