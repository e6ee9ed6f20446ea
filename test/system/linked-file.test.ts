/** A file is replaced between the resolution of its path and the opening. `accept`, which is called in between, replaces it. */
import { mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemErrorCode } from "../../src/system/errors.ts";
import { readLinkedFile } from "../../src/system/linked-file.ts";
import { folder } from "../helpers/sophia.ts";

interface Repository {
  readonly clone: string;
  /** The path of the contract that was found. */
  readonly first: string;
}

/** Makes a repository with files, beside which is a file that must not be read. */
function makeRepository(files: Readonly<Record<string, string>>): Repository {
  const home = realpathSync(folder({ "other/base.json": "outside", ...files }));
  const clone = join(home, "clone");
  mkdirSync(join(clone, ".git"), { recursive: true });
  return { clone, first: join(clone, "sophia.contract.json") };
}

/**
 * Returns the text of the file, or the code of the error.
 *
 * @param change called before each opening, and after it if nothing has changed
 */
async function readWhileChanging(path: string, foundAs: string, change: (call: number) => void): Promise<string> {
  let calls = 0;
  const accept = (): boolean => {
    calls += 1;
    change(calls);
    return true;
  };
  try {
    return readLinkedFile(path, { foundAs, maxBytes: 100, accept }).toString();
  } catch (error) {
    return systemErrorCode(error) ?? String(error);
  }
}

test("readLinkedFile fails if a folder in the path becomes a link out of the repository", async () => {
  const { clone, first } = makeRepository({ "clone/base/base.json": "within" });
  symlinkSync("../other", join(clone, "link"));
  const code = await readWhileChanging(join(clone, "base/base.json"), first, (call) => {
    if (call > 1) return;
    renameSync(join(clone, "base"), join(clone, "former"));
    renameSync(join(clone, "link"), join(clone, "base"));
  });
  expect(code).toBe("ESCAPING_LINK");
});

test("readLinkedFile fails if the file becomes a link out of the repository", async () => {
  const { clone, first } = makeRepository({ "clone/base.json": "within" });
  const code = await readWhileChanging(join(clone, "base.json"), first, (call) => {
    if (call > 1) return;
    symlinkSync("../other/base.json", join(clone, "link"));
    renameSync(join(clone, "link"), join(clone, "base.json"));
  });
  expect(code).toBe("ESCAPING_LINK");
});

test("readLinkedFile reads the new file if another file of the repository replaces the file", async () => {
  const { clone, first } = makeRepository({ "clone/base.json": "former", "clone/next": "next" });
  const text = await readWhileChanging(join(clone, "base.json"), first, (call) => {
    if (call === 1) renameSync(join(clone, "next"), join(clone, "base.json"));
  });
  expect(text).toBe("next");
});

test("readLinkedFile reads the new values if a Kubernetes volume gets new values and loses the old folder", async () => {
  const { clone } = makeRepository({ "clone/..1/values": "former", "clone/..2/values": "next" });
  symlinkSync("..1", join(clone, "..data"));
  symlinkSync("..data/values", join(clone, ".env"));
  const path = join(clone, ".env");
  const text = await readWhileChanging(path, path, (call) => {
    if (call > 1) return;
    symlinkSync("..2", join(clone, "..new"));
    renameSync(join(clone, "..new"), join(clone, "..data"));
    renameSync(join(clone, "..1"), join(clone, "..removed"));
  });
  expect(text).toBe("next");
});

test("readLinkedFile fails if the file becomes a link during each attempt", async () => {
  const { clone, first } = makeRepository({ "clone/0": "0" });
  const code = await readWhileChanging(join(clone, "0"), first, (call) => {
    writeFileSync(join(clone, String(call)), String(call));
    symlinkSync(String(call), join(clone, "link"));
    renameSync(join(clone, "link"), join(clone, String(call - 1)));
  });
  expect(code).toBe("REPLACED");
});
