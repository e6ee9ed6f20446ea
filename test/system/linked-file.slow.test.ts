/** Another process replaces a link or a folder in the path while the file is read. Nothing outside the repository may be read. */
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemErrorCode } from "../../src/system/errors.ts";
import { readLinkedFile } from "../../src/system/linked-file.ts";
import { startScript } from "../helpers/attacker.ts";
import { folder } from "../helpers/sophia.ts";

/** How many reads must have succeeded, and how many must have found a path out of the repository, before the test ends. */
const MIN_RESULTS = 200;
const LIMIT_MS = 120_000;

const SWAP_SCRIPT = `
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

interface ReadResults {
  readonly texts: ReadonlySet<string>;
  readonly codes: ReadonlySet<string | undefined>;
}

/** Reads until the file within the repository and the path out of it have been found often. */
async function readAll(path: string, foundAs: string): Promise<ReadResults> {
  const [texts, codes] = [new Set<string>(), new Set<string | undefined>()];
  const end = Date.now() + LIMIT_MS / 2;
  let [within, outside] = [0, 0];
  while ((within < MIN_RESULTS || outside < MIN_RESULTS) && Date.now() < end) {
    try {
      texts.add(readLinkedFile(path, { foundAs, maxBytes: 100, accept: () => true }).toString());
      within += 1;
    } catch (error) {
      const code = systemErrorCode(error);
      codes.add(code);
      if (code === "ESCAPING_LINK") outside += 1;
    }
  }
  expect(Math.min(within, outside)).toBeGreaterThanOrEqual(MIN_RESULTS);
  return { texts, codes };
}

/** `REPLACED`: the file was replaced during each of five attempts. `ENOENT`: there is no file between two replacements. */
const EXPECTED_CODES: ReadonlySet<string | undefined> = new Set(["ESCAPING_LINK", "REPLACED", "ENOENT"]);

test(
  "readLinkedFile reads nothing outside the repository while another process replaces the link",
  async () => {
    const home = realpathSync(folder({ "clone/values": "within", "other/values": "outside" }));
    const clone = join(home, "clone");
    mkdirSync(join(clone, ".git"));
    symlinkSync("values", join(clone, "within"));
    symlinkSync("../other/values", join(clone, "outside"));
    const path = join(clone, ".env");
    await startScript(SWAP_SCRIPT, join(clone, "within"), join(clone, "outside"), path);
    const { texts, codes } = await readAll(path, path);
    expect([...texts]).toStrictEqual(["within"]);
    expect([...codes].filter((code) => !EXPECTED_CODES.has(code))).toStrictEqual([]);
  },
  LIMIT_MS,
);

test(
  "readLinkedFile reads nothing outside the repository while another process replaces a folder in the path",
  async () => {
    const home = realpathSync(folder({ "clone/within/base.json": "within", "other/base.json": "outside" }));
    const clone = join(home, "clone");
    mkdirSync(join(clone, ".git"));
    symlinkSync("../other", join(clone, "outside"));
    await startScript(SWAP_SCRIPT, join(clone, "within"), join(clone, "outside"), join(clone, "base"));
    const { texts, codes } = await readAll(join(clone, "base/base.json"), join(clone, "sophia.contract.json"));
    expect([...texts]).toStrictEqual(["within"]);
    expect([...codes].filter((code) => !EXPECTED_CODES.has(code))).toStrictEqual([]);
  },
  LIMIT_MS,
);
