/**
 * A folder in the path of a file becomes a link out of the repository before the file is opened, and becomes the former folder again
 * before the path is examined for the last time. realpath(3), which does that without /proc, begins by making it the folder again.
 */
import { existsSync, mkdirSync, realpathSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { systemErrorCode } from "../../src/system/errors.ts";
import { readLinked } from "../../src/system/linked-file.ts";
import { folder } from "../helpers/sophia.ts";

const { exchangeBack } = vi.hoisted(() => ({ exchangeBack: { call: (_path: string): void => {} } }));

vi.mock(import("node:fs"), async (importOriginal) => {
  const fs = await importOriginal();
  const native = ((path: string, options: undefined) => {
    exchangeBack.call(String(path));
    return fs.realpathSync.native(path, options);
  }) as typeof fs.realpathSync.native;
  return { ...fs, realpathSync: Object.assign(fs.realpathSync.bind(undefined), { native }) };
});

beforeEach(() => {
  exchangeBack.call = () => {};
});

test.skipIf(!existsSync("/proc/self/fd"))(
  "readLinked fails if a folder in the path was a link out of the repository only while the file was opened",
  () => {
    const home = realpathSync(folder({ "clone/base/base.json": "within", "other/base.json": "outside" }));
    const clone = join(home, "clone");
    mkdirSync(join(clone, ".git"));
    symlinkSync("../other", join(clone, "link"));
    const path = join(clone, "base/base.json");
    const accept = (): boolean => {
      if (existsSync(join(clone, "former"))) return true;
      renameSync(join(clone, "base"), join(clone, "former"));
      renameSync(join(clone, "link"), join(clone, "base"));
      exchangeBack.call = (resolved) => {
        if (resolved !== path || !existsSync(join(clone, "former"))) return;
        renameSync(join(clone, "base"), join(clone, "link"));
        renameSync(join(clone, "former"), join(clone, "base"));
      };
      return true;
    };
    const read = (): string => {
      try {
        return readLinked(path, { foundAs: join(clone, "sophia.contract.json"), maxBytes: 100, accept }).toString();
      } catch (error) {
        return systemErrorCode(error) ?? String(error);
      }
    };
    expect(read()).toBe("ESCAPING_LINK");
  },
);
