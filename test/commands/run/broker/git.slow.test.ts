/** Large pushes and clones through the broker: they are passed on as they come. */
import { expect, test } from "vitest";
import { isNightly } from "../../../helpers/seed.ts";
import { notInstalled, notLinux, skipBecause } from "../../../helpers/skip.ts";
import { AUTHOR, brokered, makeRepository, startGithub } from "./github.ts";

skipBecause(notInstalled("git", "--version") ?? notLinux);

/** More than the launcher may take. */
const MEGABYTES = isNightly ? 256 : 96;
/** V8 lets its heap grow before it collects: some 28 MB here, 79 MB in the worst case of docs/measurements/broker.md. */
const MOST_MEGABYTES = 80;

test(
  `a push of ${MEGABYTES} MB in one request, and a clone, cost the launcher less than ${MOST_MEGABYTES} MB`,
  { timeout: 300_000 },
  async () => {
    const github = await startGithub();
    makeRepository(github, "acme/app.git");
    const ended = await brokered(github, {
      env: { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.compression", GIT_CONFIG_VALUE_0: "0" },
      script: `
        used() { sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB$/\\1/p' "/proc/$PPID/status"; }
        git clone --quiet https://github.com/acme/app.git app
        cd app
        head -c ${MEGABYTES * 1024 * 1024} /dev/urandom >large
        git add large
        git ${AUTHOR.join(" ")} commit --quiet -m large
        used
        git push --quiet origin main
        used
        git clone --quiet https://github.com/acme/app.git ../again
        used
        cmp large ../again/large`,
    });
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
    const [before = 0, pushed = Infinity, cloned = Infinity] = ended.stdout.trim().split("\n").map(Number);
    expect(pushed - before).toBeLessThan(MOST_MEGABYTES * 1024);
    expect(cloned - before).toBeLessThan(MOST_MEGABYTES * 1024);
    const push = github.upstream.requests.findLast(({ target }) => target.endsWith("/git-receive-pack"));
    expect(push?.headers["transfer-encoding"]).toBe("chunked");
    expect(push?.body.length).toBeGreaterThan(MEGABYTES * 1024 * 1024);
  },
);
