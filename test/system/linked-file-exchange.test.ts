/**
 * A folder in the path of a file is a link out of the repository only while the file is opened. Systems without /proc examine the path
 * after that by `realLatin1Path`, so the mock of this function makes the link the folder again.
 */
import { existsSync, mkdirSync, realpathSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { systemErrorCode } from "../../src/system/errors.ts";
import { readLinkedFile } from "../../src/system/linked-file.ts";
import { folder } from "../helpers/sophia.ts";

const { exchangeBack } = vi.hoisted(() => ({ exchangeBack: { call: (_path: string): void => {} } }));

vi.mock(import("../../src/system/real-path.ts"), async (importOriginal) => {
  const original = await importOriginal();
  const realLatin1Path = (path: string | Buffer): string => {
    exchangeBack.call(path.toString());
    return original.realLatin1Path(path);
  };
  return { ...original, realLatin1Path };
});

test.skipIf(!existsSync("/proc/self/fd"))(
  "readLinkedFile fails if a folder in the path was a link out of the repository only while the file was opened",
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
        return readLinkedFile(path, { foundAs: join(clone, "sophia.contract.json"), maxBytes: 100, accept }).toString();
      } catch (error) {
        return systemErrorCode(error) ?? String(error);
      }
    };
    expect(read()).toBe("ESCAPING_LINK");
  },
);
