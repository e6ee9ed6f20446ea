/** Another process replaces a link, or a folder on the way, while the file is read: nothing outside of the repository is. */
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemErrorCode } from "../../src/system/errors.ts";
import { readLinked } from "../../src/system/linked-file.ts";
import { startScript } from "../helpers/attacker.ts";
import { folder } from "../helpers/sophia.ts";

/** The number of reads that succeed, and of those that find the place outside, before the test ends. */
const EACH = 200;
const LIMIT_MS = 120_000;

const SWAP = `
  const { renameSync } = require("node:fs");
  const [, within, outside, path] = process.argv;
  const tried = (from, to) => { try { renameSync(from, to); } catch {} };
  console.log("begun");
  for (;;) {
    tried(within, path);
    tried(path, within);
    tried(outside, path);
    tried(path, outside);
  }`;

interface Reads {
  readonly texts: ReadonlySet<string>;
  readonly codes: ReadonlySet<string | undefined>;
}

/** Reads until both the file within and the place outside were found often. */
async function readAll(path: string, foundAs: string): Promise<Reads> {
  const [texts, codes] = [new Set<string>(), new Set<string | undefined>()];
  const end = Date.now() + LIMIT_MS / 2;
  let [within, outside] = [0, 0];
  while ((within < EACH || outside < EACH) && Date.now() < end) {
    try {
      texts.add(readLinked(path, { foundAs, maxBytes: 100, accept: () => true }).toString());
      within += 1;
    } catch (error) {
      const code = systemErrorCode(error);
      codes.add(code);
      if (code === "ESCAPING_LINK") outside += 1;
    }
  }
  expect(Math.min(within, outside)).toBeGreaterThanOrEqual(EACH);
  return { texts, codes };
}

/** `REPLACED`: in five attempts it was another one each time. `ENOENT`: in between nothing is there. */
const EXPECTED: ReadonlySet<string | undefined> = new Set(["ESCAPING_LINK", "REPLACED", "ENOENT"]);

test(
  "the link",
  async () => {
    const home = realpathSync(folder({ "clone/values": "within", "other/values": "outside" }));
    const clone = join(home, "clone");
    mkdirSync(join(clone, ".git"));
    symlinkSync("values", join(clone, "within"));
    symlinkSync("../other/values", join(clone, "outside"));
    const path = join(clone, ".env");
    await startScript(SWAP, join(clone, "within"), join(clone, "outside"), path);
    const { texts, codes } = await readAll(path, path);
    expect([...texts]).toStrictEqual(["within"]);
    expect([...codes].filter((code) => !EXPECTED.has(code))).toStrictEqual([]);
  },
  LIMIT_MS,
);

test(
  "a folder of the path",
  async () => {
    const home = realpathSync(folder({ "clone/within/base.json": "within", "other/base.json": "outside" }));
    const clone = join(home, "clone");
    mkdirSync(join(clone, ".git"));
    symlinkSync("../other", join(clone, "outside"));
    await startScript(SWAP, join(clone, "within"), join(clone, "outside"), join(clone, "base"));
    const { texts, codes } = await readAll(join(clone, "base/base.json"), join(clone, "sophia.contract.json"));
    expect([...texts]).toStrictEqual(["within"]);
    expect([...codes].filter((code) => !EXPECTED.has(code))).toStrictEqual([]);
  },
  LIMIT_MS,
);
