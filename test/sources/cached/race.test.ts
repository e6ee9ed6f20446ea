/** Another user exchanges the folder of the cache for a link to a folder of root's, while root writes to the cache. */
import { chmodSync, chownSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writePrivate } from "../../../src/system/private-file.ts";
import { ATTACKER, startAttack } from "../../helpers/attacker.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";

/** The number of writes that succeed, and of those that find a link or no folder, before the test ends. */
const EACH = 100;
const LIMIT_MS = 120_000;

skipBecause(
  process.geteuid?.() === 0 ? notInstalled("setpriv", "--version") : "needs root, to be another user as well",
);

test(
  "nothing is written or removed in the target of a link",
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
    // Root makes the folder again and again; it is moved away, and the link takes its place.
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
    // A machine with much else to do gives the other process no turn for long: then each attempt ends like the first one.
    const end = Date.now() + LIMIT_MS / 2;
    let [written, refused] = [0, 0];
    while ((written < EACH || refused < EACH) && Date.now() < end) {
      const result = writePrivate(join(own, "esc-0-0"), Buffer.from("kept"), String(written + refused));
      if (result === undefined) written += 1;
      else refused += 1;
    }
    expect(Math.min(written, refused)).toBe(EACH);
    expect(readdirSync(elsewhere)).toEqual(["roots.tmp"]);
  },
  LIMIT_MS,
);
