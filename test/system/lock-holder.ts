/**
 * A process that locked.slow.test.ts starts with the path of a folder. It takes the lock of the file `file` in the folder, makes
 * the file `taken`, and has the lock until the test makes the file `release`. Then it makes the file `released`.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/system/blocking.ts";
import { withFileLock } from "../../src/system/file-lock.ts";

const [, , folder = ""] = process.argv;

function holdLock(): void {
  writeFileSync(join(folder, "taken"), "");
  while (!existsSync(join(folder, "release"))) sleep(5);
  writeFileSync(join(folder, "released"), "");
}

void withFileLock(join(folder, "file"), holdLock, "other-process");
