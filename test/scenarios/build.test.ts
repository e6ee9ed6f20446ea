import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { copyOfPackage, folder } from "../helpers/sophia.ts";

const root = join(import.meta.dirname, "../..");

it("a checkout that is not built says so", () => {
  const path = copyOfPackage();
  for (const name of ["dist", "bin/sophia-run.cjs"]) rmSync(join(path, name), { recursive: true });
  const args = [join(path, "bin/sophia-run"), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: "sophia-run: this checkout is not built\n  run `npm ci` and `npm run build` in it\n",
  });
});

it("a build is made again only if its inputs have changed or a file of it is missing", () => {
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

it("a Node.js that is too old is told, without a stack trace", () => {
  const older = join(folder({ "older.cjs": "delete process.getBuiltinModule;" }), "older.cjs");
  const args = ["--require", older, join(root, "bin/sophia-run.cjs"), "--", "true"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout, stderr }).toStrictEqual({
    status: 125,
    stdout: "",
    stderr: `sophia-run: Node.js ${process.version} is too old\n  install 20.19, 22.12, 24 or later\n`,
  });
});

it("names the licence of everything in the bundle", () => {
  const check = spawnSync(process.execPath, [join(root, "scripts/notices.mjs"), "--check"], { encoding: "utf8" });
  expect(check.stderr).toBe("");
  expect(check.status).toBe(0);
});
