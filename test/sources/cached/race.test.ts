/** Another user replaces the folder of the cache by a link to a folder of root's, while root writes to the cache. */
import { chmodSync, chownSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writePrivate } from "../../../src/system/private-file.ts";
import { ATTACKER, startAttack } from "../../helpers/attacker.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";

/** How many writes must have succeeded, and how many must have found a link or no folder, before the test ends. */
const MIN_RESULTS = 100;
const LIMIT_MS = 120_000;

skipBecause(
  process.geteuid?.() === 0
    ? notInstalled("setpriv", "--version")
    : "needs root, who can start a process of another user",
);

test(
  "a cache writes and removes nothing in the target of a link that another user puts in place of its folder",
  async () => {
    const home = folder();
    const caches = join(home, "caches");
    const [own, elsewhere] = [join(caches, "sophia-run"), join(home, "elsewhere")];
    mkdirSync(caches, { mode: 0o755 });
    mkdirSync(elsewhere, { mode: 0o700 });
    chmodSync(home, 0o755);
    const stale = join(elsewhere, "roots.tmp");
    writeFileSync(stale, "");
    utimesSync(stale, 0, 0);
    chownSync(caches, ATTACKER, ATTACKER);
    // Root makes the folder again and again, and the attacker moves it away and puts the link in its place.
    const script = `
    const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
    const [own, elsewhere] = process.argv.slice(1);
    const tried = (act) => { try { act(); return true; } catch { return false; } };
    console.log("begun");
    for (let at = 0; ; at += 1) {
      tried(() => symlinkSync(elsewhere, own));
      if (!tried(() => unlinkSync(own))) tried(() => renameSync(own, own + at));
    }`;
    await startAttack(script, own, elsewhere);
    // On a busy machine the other process may not run for long, and each attempt ends like the first one until it runs.
    const end = Date.now() + LIMIT_MS / 2;
    let [written, refused] = [0, 0];
    while ((written < MIN_RESULTS || refused < MIN_RESULTS) && Date.now() < end) {
      const result = writePrivate(join(own, "esc-0-0"), Buffer.from("kept"), String(written + refused));
      if (result === undefined) written += 1;
      else refused += 1;
    }
    expect(Math.min(written, refused)).toBe(MIN_RESULTS);
    expect(readdirSync(elsewhere)).toEqual(["roots.tmp"]);
  },
  LIMIT_MS,
);
