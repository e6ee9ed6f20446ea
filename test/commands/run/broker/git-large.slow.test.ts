/** Large pushes and clones through the broker: they are passed on as they come. */
import { expect, test } from "vitest";
import { isStandalone } from "../../../helpers/program.ts";
import { isNightly } from "../../../helpers/seed.ts";
import { noCertificates } from "../../../helpers/certificates.ts";
import { notInstalled, notLinux, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { AUTHOR, runBroker, createRepository, startGithub } from "./github.ts";
import { createPackSink } from "./pack-sink.ts";

skipBecause(notInstalled("git", "--version") ?? notLinux ?? noCertificates);

/** More than the launcher may take. */
const MEGABYTES = isNightly ? 256 : 96;
/** V8 lets its heap grow before it collects: some 28 MB here, 79 MB in the worst case of docs/measurements/broker.md. */
const MOST_MEGABYTES = 80;

/** Prints the most memory in kB that the launcher has had. */
const USED = `used() { sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB$/\\1/p' "/proc/$PPID/status"; }`;
const UNCOMPRESSED = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.compression", GIT_CONFIG_VALUE_0: "0" } as const;

test(
  `a push of ${MEGABYTES} MB in one request, and a clone, cost the launcher less than ${MOST_MEGABYTES} MB`,
  { timeout: 300_000 },
  async () => {
    const github = await startGithub();
    createRepository(github, "acme/app.git");
    const result = await runBroker(github, {
      env: UNCOMPRESSED,
      script: `
        ${USED}
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
    expect([result.status, result.stderr]).toEqual([0, ""]);
    const [before = 0, pushed = Infinity, cloned = Infinity] = result.stdout.trim().split("\n").map(Number);
    expect(pushed - before).toBeLessThan(MOST_MEGABYTES * 1024);
    expect(cloned - before).toBeLessThan(MOST_MEGABYTES * 1024);
    const push = github.upstream.requests.findLast(({ target }) => target.endsWith("/git-receive-pack"));
    expect(push?.headers["transfer-encoding"]).toBe("chunked");
    expect(push?.body.length).toBeGreaterThan(MEGABYTES * 1024 * 1024);
  },
);

test("a push of 1 GB arrives whole, and costs the launcher no more", { timeout: 900_000 }, async ({ skip }) => {
  skip(notNightly !== undefined, notNightly);
  const sink = createPackSink("refs/heads/main");
  const github = await startGithub(undefined, sink.receive);
  // The file is in the repository alone, and the service keeps none.
  const result = await runBroker(github, {
    env: UNCOMPRESSED,
    script: `
      ${USED}
      git init --quiet --initial-branch=main app
      cd app
      blob=$(head -c 1000000000 /dev/urandom | git hash-object -w --stdin)
      git update-index --add --cacheinfo "100644,$blob,large"
      git ${AUTHOR.join(" ")} commit --quiet -m large
      used
      git push --quiet https://github.com/acme/app.git main
      used`,
  });
  expect([result.status, result.stderr]).toEqual([0, ""]);
  const [before = 0, pushed = Infinity] = result.stdout.trim().split("\n").map(Number);
  expect(pushed - before).toBeLessThan((isStandalone ? 24 : MOST_MEGABYTES) * 1024);
  expect(sink.result()).toEqual({ isWhole: true, isLarge: true });
});
