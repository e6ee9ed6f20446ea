/** What is at a path changes between its resolution and the opening: `accept`, which is called in between, changes it. */
import { mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemErrorCode } from "../../src/system/errors.ts";
import { readLinked } from "../../src/system/linked-file.ts";
import { folder } from "../helpers/sophia.ts";

interface Place {
  readonly clone: string;
  /** The contract that was found. */
  readonly first: string;
}

function repository(files: Readonly<Record<string, string>>): Place {
  const home = realpathSync(folder({ "other/base.json": "outside", ...files }));
  const clone = join(home, "clone");
  mkdirSync(join(clone, ".git"), { recursive: true });
  return { clone, first: join(clone, "sophia.contract.json") };
}

/** Returns the text, or the code of the error. @param change called before each opening, and after it if nothing has changed */
async function read(path: string, foundAs: string, change: (call: number) => void): Promise<string> {
  let calls = 0;
  const accept = (): boolean => {
    calls += 1;
    change(calls);
    return true;
  };
  try {
    return readLinked(path, { foundAs, maxBytes: 100, accept }).toString();
  } catch (error) {
    return systemErrorCode(error) ?? String(error);
  }
}

test("a folder of the path becomes a link out of the repository", async () => {
  const { clone, first } = repository({ "clone/base/base.json": "within" });
  symlinkSync("../other", join(clone, "link"));
  const code = await read(join(clone, "base/base.json"), first, (call) => {
    if (call > 1) return;
    renameSync(join(clone, "base"), join(clone, "former"));
    renameSync(join(clone, "link"), join(clone, "base"));
  });
  expect(code).toBe("ESCAPING_LINK");
});

test("the file becomes a link out of the repository", async () => {
  const { clone, first } = repository({ "clone/base.json": "within" });
  const code = await read(join(clone, "base.json"), first, (call) => {
    if (call > 1) return;
    symlinkSync("../other/base.json", join(clone, "link"));
    renameSync(join(clone, "link"), join(clone, "base.json"));
  });
  expect(code).toBe("ESCAPING_LINK");
});

test("the file is replaced by another one of the repository, which is read then", async () => {
  const { clone, first } = repository({ "clone/base.json": "former", "clone/next": "next" });
  const text = await read(join(clone, "base.json"), first, (call) => {
    if (call === 1) renameSync(join(clone, "next"), join(clone, "base.json"));
  });
  expect(text).toBe("next");
});

test("a volume of Kubernetes gets new values, whose old folder is removed", async () => {
  const { clone } = repository({ "clone/..1/values": "former", "clone/..2/values": "next" });
  symlinkSync("..1", join(clone, "..data"));
  symlinkSync("..data/values", join(clone, ".env"));
  const path = join(clone, ".env");
  const text = await read(path, path, (call) => {
    if (call > 1) return;
    symlinkSync("..2", join(clone, "..new"));
    renameSync(join(clone, "..new"), join(clone, "..data"));
    renameSync(join(clone, "..1"), join(clone, "..removed"));
  });
  expect(text).toBe("next");
});

test("a file that becomes a link at each attempt is an error", async () => {
  const { clone, first } = repository({ "clone/0": "0" });
  const code = await read(join(clone, "0"), first, (call) => {
    writeFileSync(join(clone, String(call)), String(call));
    symlinkSync(String(call), join(clone, "link"));
    renameSync(join(clone, "link"), join(clone, String(call - 1)));
  });
  expect(code).toBe("REPLACED");
});
