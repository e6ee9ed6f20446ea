import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noNobody } from "../helpers/nobody.ts";
import { notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { isAlive, start } from "../helpers/started.ts";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/places");
const env = { PATH: process.env["PATH"] ?? "" };

/** The control groups of a space, whichever hierarchy has them. */
function groups(pid: number): readonly string[] {
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    .map((hierarchy) => join(hierarchy, `sophia-places-${pid}`))
    .filter((path) => existsSync(path));
}

function mounts(): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(".cache/places"));
}

/** Starts the place, and waits until systemd has served the first case. */
async function running() {
  const place = start(["scripts/places/systemd.sh"], { cwd: root, env });
  await place.seen(/^passed: /m);
  return { place, init: Number(readFileSync(join(cache, `state.${place.pid}/init`), "utf8")) };
}

describe("scripts/places/systemd.sh", () => {
  skipBecause(notLinux ?? noNobody ?? notInstalled("systemctl", "--version"));

  test("leaves nothing if it is interrupted", async () => {
    const { place, init } = await running();
    expect(isAlive(init)).toBe(true);
    process.kill(place.pid, "SIGTERM");
    expect(await place.finished).toMatchObject({ status: 143, stderr: "" });
    expect(isAlive(init)).toBe(false);
    expect(existsSync(join(cache, `state.${place.pid}`))).toBe(false);
    expect(groups(place.pid)).toEqual([]);
    expect(mounts()).toEqual([]);
  });

  test("leaves no process and no mount if it is killed, and the next one removes the rest", async () => {
    const { place, init } = await running();
    process.kill(place.pid, "SIGKILL");
    await expect.poll(() => isAlive(init)).toBe(false);
    expect(mounts()).toEqual([]);
    const next = await running();
    process.kill(next.place.pid, "SIGTERM");
    await next.place.finished;
    for (const { pid } of [place, next.place]) expect(existsSync(join(cache, `state.${pid}`))).toBe(false);
    expect([...groups(place.pid), ...groups(next.place.pid)]).toEqual([]);
  });

  test("says in one line that it must be root, and ends with status 2", async () => {
    const identity = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] as const;
    const { finished } = start([...identity, "sh", "scripts/places/systemd.sh"], { cwd: root, env });
    expect(await finished).toEqual({
      status: 2,
      signal: null,
      stdout: `not run: systemd: it must be root\n  sudo env "PATH=$PATH" scripts/places/systemd.sh\n`,
      stderr: "",
    });
  });
});
