import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
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
