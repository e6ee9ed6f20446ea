import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noNobody } from "../helpers/nobody.ts";
import { notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { folder } from "../helpers/sophia.ts";
import { isAlive, startProcess } from "../helpers/start-process.ts";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/places");
const env = { PATH: process.env["PATH"] ?? "" };

/** The control groups of a space, in each hierarchy of the machine. */
function groupsOf(pid: number): readonly string[] {
  const hierarchies = readFileSync("/proc/self/mounts", "utf8").matchAll(/^\S+ (\S+) cgroup2? /gm);
  return Array.from(hierarchies, ([, mounted = ""]) => join(mounted, `sophia-places-${pid}`)).filter((path) =>
    existsSync(path),
  );
}

function listMounts(): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(".cache/places"));
}

/** Processes outside of a space that belong to it: those that have its PID 1 in their arguments. */
function findServants(init: number): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")];
      } catch {
        return [];
      }
    })
    .filter((words) => words.some((word) => word.endsWith("/slirp4netns")) && words.includes(String(init)))
    .map((words) => words.join(" "));
}

/** A place's script, with its arguments. */
type Script = readonly [script: string, ...args: readonly string[]];

/** Starts a place, and waits until its first case has passed. */
async function startPlace([script, ...args]: Script) {
  const place = startProcess([script, ...args], { cwd: root, env });
  await place.waitForStdout(/^passed: /m);
  return { place, init: Number(readFileSync(join(cache, `state.${place.pid}/init`), "utf8")) };
}

function reasonIfNotMade(name: string, part: string): string | undefined {
  return existsSync(join(cache, part)) ? undefined : `needs what the place of ${name} makes once`;
}

const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] as const;

/** Opens a space in which nothing runs. */
const OPEN = "open_space version2 / sh -c 'echo ready >/places/ready; exec tail -f /dev/null'";

/** The descendants of a process that sleep. */
function findSleepingDescendants(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
  return children.flatMap((child) => {
    const [name] = readFileSync(`/proc/${child}/cmdline`, "utf8").split("\0");
    return [...(name === "sleep" ? [child] : []), ...findSleepingDescendants(child)];
  });
}

const PLACES = [
  { name: "systemd", script: "systemd.sh", reason: notInstalled("systemctl", "--version"), servants: 0 },
  { name: "docker", script: "docker.sh", reason: reasonIfNotMade("docker", "roots/docker"), servants: 1 },
  {
    name: "podman",
    script: "docker.sh --engine podman",
    reason: reasonIfNotMade("podman", "roots/podman"),
    servants: 0,
  },
  { name: "kubernetes", script: "kubernetes.sh", reason: reasonIfNotMade("kubernetes", "kubernetes"), servants: 0 },
] as const;

describe.each(PLACES)("the place $name", ({ name, script: line, reason, servants: count }) => {
  const [file = "", ...args] = line.split(" ");
  const script: Script = [`scripts/places/${file}`, ...args];
  skipBecause(notLinux ?? noNobody ?? reason);

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("leaves nothing after %s", { timeout: 200_000 }, async (signal, status) => {
    const { place, init } = await startPlace(script);
    expect(isAlive(init)).toBe(true);
    expect(findServants(init)).toHaveLength(count);
    process.kill(place.pid, signal);
    expect(await place.finished).toMatchObject({ status, stderr: "" });
    expect(isAlive(init)).toBe(false);
    expect(findServants(init)).toEqual([]);
    expect(existsSync(join(cache, `state.${place.pid}`))).toBe(false);
    expect(groupsOf(place.pid)).toEqual([]);
    expect(listMounts()).toEqual([]);
  });

  test(
    "leaves no process and no mount if it is killed, and the next place removes the rest",
    { timeout: 400_000 },
    async () => {
      const { place, init } = await startPlace(script);
      process.kill(place.pid, "SIGKILL");
      await expect.poll(() => isAlive(init)).toBe(false);
      await expect.poll(() => findServants(init)).toEqual([]);
      expect(listMounts()).toEqual([]);
      const next = await startPlace(script);
      process.kill(next.place.pid, "SIGTERM");
      await next.place.finished;
      for (const { pid } of [place, next.place]) expect(existsSync(join(cache, `state.${pid}`))).toBe(false);
      expect([...groupsOf(place.pid), ...groupsOf(next.place.pid)]).toEqual([]);
    },
  );

  test("says in one line that it must be root, and ends with status 2", async () => {
    const remedy = `sudo env "PATH=$PATH" scripts/places/${line}`;
    const asked = startProcess([...NOBODY, "sh", ...script], { cwd: root, env });
    expect(await asked.finished).toEqual({
      status: 2,
      signal: null,
      stdout: `not run: ${name}: it must be root\n  ${remedy}\n`,
      stderr: "",
    });
    const elsewhere = startProcess([...NOBODY, "sh", join(root, script[0]), ...args], { cwd: "/", env });
    expect((await elsewhere.finished).stdout).toContain(`\n  cd '${root}' && ${remedy}\n`);
  });

  test("cannot run without namespaces, mounts and control groups of its own, and ends with status 2", async () => {
    const denied = startProcess(["unshare", "--user", "--map-root-user", ...script], { cwd: root, env });
    expect(await denied.finished).toEqual({
      status: 2,
      signal: null,
      stdout: `not run: ${name}: namespaces, mounts or control groups are denied\n  run it outside of a container\n`,
      stderr: "",
    });
  });

  test("is reported by a check of CI that cannot run it, and the check does not fail", async () => {
    const [place] = file.split(".");
    const { finished } = startProcess([...NOBODY, "sh", "scripts/places/check.sh", place ?? "", ...args], {
      cwd: root,
      env,
    });
    expect(await finished).toMatchObject({ status: 0, stdout: expect.stringMatching(/^not run: .*\n {2}sudo .*\n$/) });
  });
});

/** Runs lines of a place's script. */
function inPlace(lines: string) {
  return startProcess(["sh", "-c", `set -eu; cd '${root}'; . scripts/places/space.sh; ${lines}`, "test.sh"], {
    cwd: root,
    env,
  });
}

describe("scripts/platforms/system.sh", () => {
  skipBecause(notLinux ?? noNobody);
  const run = (...words: readonly string[]) =>
    startProcess([...NOBODY, "sh", "scripts/platforms/system.sh", ...words], { cwd: root, env }).finished;

  test("says in one line that it must be root, and ends with status 2", async () => {
    expect(await run("trixie", "24")).toMatchObject({
      status: 2,
      stdout: 'not run: system: it must be root\n  sudo env "PATH=$PATH" scripts/platforms/system.sh trixie 24\n',
      stderr: "",
    });
  });

  test.each([[[]], [["trixie"]], [["sid", "24"]], [["noble", "npm test"]]])(
    "refuses %j as an error of usage",
    async (words) => {
      expect(await run(...words)).toMatchObject({
        status: 1,
        stdout: "",
        stderr: expect.stringMatching(/^usage: .*\n$/),
      });
    },
  );
});

test("says in two lines why the surroundings of cases cannot be made, without a stack, and ends as for cases that cannot run", async () => {
  const lines = [
    `import { openPlace } from "${root}/scripts/places/report.ts";`,
    'await openPlace("docker", async () => { throw new Error("the build of x: status 1\\n#1 [1/2] FROM x\\nERROR: failed to solve: x: not found\\n"); });',
  ];
  const file = join(folder({ "cases.mts": lines.join("\n") }), "cases.mts");
  expect(await startProcess([process.execPath, "--import", "tsx", file], { cwd: root, env }).finished).toMatchObject({
    status: 75,
    stdout:
      "not run: docker: the build of x: status 1: ERROR: failed to solve: x: not found\n" +
      "  check the engine, its network and its registry\n",
    stderr: "",
  });
  expect(await inPlace("state=/nowhere; report 75").finished).toMatchObject({ status: 2 });
});

test("refuses a text that no case has in its name", async () => {
  const lines = [
    `import { selected } from "${root}/scripts/places/report.ts";`,
    'for (const [name] of selected([["one", async () => {}]])) console.log(name);',
  ];
  const file = join(folder({ "cases.mts": lines.join("\n") }), "cases.mts");
  const run = (text: string) =>
    startProcess([process.execPath, "--import", "tsx", file, text], { cwd: root, env }).finished;
  expect(await run("on")).toMatchObject({ status: 0, stdout: "one\n" });
  expect(await run("two")).toMatchObject({ status: 1, stdout: 'no case has "two" in its name\n' });
});

describe("scripts/places/space.sh", () => {
  skipBecause(notLinux ?? noNobody);

  test("does not take an error of the shell for a place that cannot run", async () => {
    expect(await inPlace(": >/nowhere/file").finished).toMatchObject({ status: 1 });
    expect(await inPlace("not_run reason remedy").finished).toMatchObject({ status: 2 });
    expect(await inPlace("exit 0").finished).toMatchObject({ status: 0 });
  });

  test.each([
    ["opens", "open_space version2 / sleep 1000"],
    ["has opened", `${OPEN}; guarded sleep 1000`],
    ["uses", `${OPEN}; in_space sleep 1000`],
  ])("ends all that a script has started in a space at once after SIGTERM: the script %s", async (_, lines) => {
    const script = inPlace(`need; ${lines}`);
    await expect.poll(() => findSleepingDescendants(script.pid), { timeout: 20_000 }).toHaveLength(1);
    const started = findSleepingDescendants(script.pid);
    process.kill(script.pid, "SIGTERM");
    expect(await script.finished).toMatchObject({ status: 143, stderr: "" });
    for (const pid of started) expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(cache, `state.${script.pid}`))).toBe(false);
    expect(groupsOf(script.pid)).toEqual([]);
    expect(listMounts()).toEqual([]);
  });
});
