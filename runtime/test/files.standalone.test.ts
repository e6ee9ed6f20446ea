/** Files in the executable's runtime: the functions of node:fs must do what they do in Node.js. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A script that makes a file system whose folders do not store the types of their entries, and mounts it for a command. */
const MOUNT_SCRIPT = `
  truncate -s 1M image && mke2fs -q -t ext2 -O ^filetype -F image && mount -o loop image mounted &&
  mkdir mounted/folder && : >mounted/file && ln -s file mounted/link && exec "$@"`;

function runMounted(...command: readonly string[]) {
  return spawnSync("unshare", ["-m", "sh", "-c", MOUNT_SCRIPT, "sh", ...command], { cwd: folder, encoding: "utf8" });
}

it("readdirSync returns the types of entries even if the folder does not list them, as on NFS", ({ skip }) => {
  mkdirSync(join(folder, "mounted"));
  skip(runMounted("true").status !== 0, "needs mke2fs, and the rights to mount a file system");
  const script = join(folder, "script.cjs");
  writeFileSync(
    script,
    `const entries = require("node:fs").readdirSync("mounted", { withFileTypes: true });
     const types = entries.map((entry) => [entry.name, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()].join());
     require("node:fs").writeSync(1, types.sort().join(" "));`,
  );
  const expected = "file,true,false,false folder,false,true,false link,false,false,true lost+found,false,true,false";
  expect(runMounted(shell, script).stdout).toBe(expected);
  expect(runMounted(process.execPath, script).stdout).toBe(expected);
});

it("readlinkSync returns the target of a link as bytes, even if it is not UTF-8", () => {
  const script = join(folder, "link.cjs");
  writeFileSync(
    script,
    `const { readlinkSync, writeSync } = require("node:fs");
     const [, , path] = process.argv;
     const target = readlinkSync(path, { encoding: "buffer" });
     const fault = (() => { try { readlinkSync(Buffer.from("/"), { encoding: "buffer" }); } catch (error) { return error.code; } })();
     writeSync(1, [Buffer.isBuffer(target), target.toString("hex"), fault, readlinkSync("plain")].join(" "));`,
  );
  symlinkSync(Buffer.from([0x61, 0xff, 0x62]), join(folder, "odd"));
  symlinkSync("nowhere", join(folder, "plain"));
  const read = (program: string): string =>
    spawnSync(program, [script, "odd"], { cwd: folder, encoding: "utf8" }).stdout;
  expect(read(shell)).toBe("true 61ff62 EINVAL nowhere");
  expect(read(process.execPath)).toBe(read(shell));
});

it("realpathSync follows all links of a path as bytes, even to a name that is not UTF-8", () => {
  const script = join(folder, "real-path.cjs");
  writeFileSync(
    script,
    `const { realpathSync, writeSync } = require("node:fs");
     const fault = (path) => { try { realpathSync.native(path, { encoding: "buffer" }); } catch (error) { return [error.code, error.syscall].join(); } };
     const [, , path] = process.argv;
     const real = realpathSync.native(path, { encoding: "buffer" });
     writeSync(1, [Buffer.isBuffer(real), real.subarray(-3).toString("hex"), fault("gone")].join(" "));`,
  );
  mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x63, 0xff, 0x64])]));
  symlinkSync(Buffer.from([0x63, 0xff, 0x64]), join(folder, "to-odd"));
  const real = (program: string): string =>
    spawnSync(program, [script, "to-odd"], { cwd: folder, encoding: "utf8" }).stdout;
  expect(real(shell)).toBe("true 63ff64 ENOENT,realpath");
  expect(real(process.execPath)).toBe(real(shell));
});

it("symlinkSync makes a link whose target need not exist, and refuses a path that exists", () => {
  const script = join(folder, "make-link.cjs");
  writeFileSync(
    script,
    `const { readlinkSync, symlinkSync, unlinkSync, writeSync } = require("node:fs");
     const fault = (target, path) => { try { symlinkSync(target, path); } catch (error) { return [error.code, error.syscall].join(); } };
     symlinkSync("no/where", "made");
     writeSync(1, [readlinkSync("made"), fault("x", "made"), fault("x", "no/made"), fault("", "empty")].join(" "));
     unlinkSync("made");`,
  );
  const runScript = (program: string): string => spawnSync(program, [script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(runScript(shell)).toBe("no/where EEXIST,symlink ENOENT,symlink ENOENT,symlink");
  expect(runScript(process.execPath)).toBe(runScript(shell));
});

it("opendirSync reads a folder entry by entry, even if it has thousands of entries", () => {
  const script = join(folder, "open-folder.cjs");
  writeFileSync(
    script,
    `const { opendirSync, writeSync } = require("node:fs");
     const all = (path) => {
       const opened = opendirSync(path, { bufferSize: 512 });
       const names = new Set();
       for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) names.add(entry.name + entry.isDirectory());
       const end = opened.readSync();
       opened.closeSync();
       return [names.size, names.has("2999false"), names.has("insidetrue"), end].map(String).join();
     };
     const fault = (path) => { try { opendirSync(path); } catch (error) { return [error.code, error.syscall].join(); } };
     writeSync(1, [all("many"), all("empty"), fault("missing"), fault("many/0")].join(" "));`,
  );
  for (const name of ["many", "empty", "many/inside"]) mkdirSync(join(folder, name));
  for (let number = 0; number < 3000; number += 1) writeFileSync(join(folder, "many", String(number)), "");
  const read = (program: string): string => spawnSync(program, [script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(read(shell)).toBe("3001,true,true,null 0,false,false,null ENOENT,opendir ENOTDIR,opendir");
  expect(read(shell)).toBe(read(process.execPath));
});

it("mkdtempSync refuses a prefix with a NUL, and makes no folder whose name begins with the part before the NUL", () => {
  const script = join(folder, "nul-folder.cjs");
  writeFileSync(
    script,
    `const { existsSync, mkdirSync, mkdtempSync, readdirSync, writeSync } = require("node:fs");
     const isRefused = (call) => { try { call(); } catch { return true; } return false; };
     if (!existsSync("before-nul")) mkdirSync("before-nul");
     writeSync(1, [isRefused(() => mkdtempSync("before-nul/made\\0x")), readdirSync("before-nul").length].join(" "));`,
  );
  const run = (program: string): string => spawnSync(program, [script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(run(shell)).toBe("true 0");
  expect(run(process.execPath)).toBe(run(shell));
});

it("readdirSync and readSync throw the error of a folder that cannot be read, rather than return what they have read", () => {
  const script = join(folder, "unreadable.cjs");
  writeFileSync(
    script,
    `const { opendirSync, readdirSync, writeSync } = require("node:fs");
     const opened = opendirSync(".");
     const fault = (call) => { try { return String(call()); } catch (error) { return error.code; } };
     writeSync(1, [fault(() => readdirSync(".")), fault(() => opened.readSync())].join(" "));`,
  );
  const seccomp = join(import.meta.dirname, "../../test/launch/monitor/seccomp.py");
  const run = (program: string): string =>
    spawnSync("python3", [seccomp, "getdents64:EIO", "--", program, script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(run(shell)).toBe("EIO EIO");
  expect(run(process.execPath)).toBe(run(shell));
});

it("readSync of an open folder returns null after the folder was removed", () => {
  const script = join(folder, "removed.cjs");
  writeFileSync(
    script,
    `const { mkdirSync, opendirSync, rmdirSync, writeSync } = require("node:fs");
     mkdirSync("removed");
     const opened = opendirSync("removed");
     rmdirSync("removed");
     writeSync(1, String(opened.readSync()));`,
  );
  const run = (program: string): string => spawnSync(program, [script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(run(shell)).toBe("null");
  expect(run(process.execPath)).toBe(run(shell));
});

it("fstatSync refuses -100, which statx(2) would take for the working directory", () => {
  const script = join(folder, "negative.cjs");
  writeFileSync(
    script,
    `const { fstatSync, writeSync } = require("node:fs");
     const isRefused = (...values) => { try { fstatSync(...values); } catch { return true; } return false; };
     writeSync(1, [isRefused(-100), isRefused(-100, { bigint: true }), isRefused(0, { bigint: true })].join(" "));`,
  );
  const run = (program: string): string => spawnSync(program, [script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(run(shell)).toBe("true true false");
  expect(run(process.execPath)).toBe(run(shell));
});

it("renameSync and symlinkSync refuse a path with a NUL, and change no file whose name is the part before the NUL", () => {
  const script = join(folder, "nul.cjs");
  writeFileSync(
    script,
    `const { existsSync, renameSync, symlinkSync, writeFileSync, writeSync } = require("node:fs");
     const isRefused = (call) => { try { call(); } catch { return true; } return false; };
     writeFileSync("source", "");
     const results = [
       isRefused(() => renameSync("source\\0x", "target")),
       isRefused(() => renameSync("source", "target\\0x")),
       isRefused(() => symlinkSync("source", "target\\0x")),
       isRefused(() => symlinkSync("source\\0x", "target")),
     ];
     writeSync(1, [...results, existsSync("source"), existsSync("target")].join(" "));`,
  );
  const run = (program: string): string => spawnSync(program, [script], { cwd: folder, encoding: "utf8" }).stdout;
  expect(run(shell)).toBe("true true true true true false");
  expect(run(process.execPath)).toBe(run(shell));
});
