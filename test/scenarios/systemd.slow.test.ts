import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { ESC_VALUES } from "../helpers/esc-values.ts";
import { cleanPath } from "../helpers/pack.ts";
import { notInstalled, notLinux, skipBecause } from "../helpers/skip.ts";
import { usesExecMode, CONTRACT_VALUES, folder, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";
import { readUnit } from "../helpers/systemd-unit.ts";

const examples = join(import.meta.dirname, "../../examples/systemd");
const unit = readUnit(join(examples, "sophia-app.service"));

/** A setting that stands once. */
function findSetting(name: string): string {
  const [value, ...others] = unit.get(name) ?? [];
  if (value === undefined || others.length > 0) throw new Error(`${name} stands ${others.length + 1} times`);
  return value;
}

describe("the units of examples/systemd", () => {
  skipBecause(notLinux);
  skipBecause(usesExecMode ? undefined : "needs the addon");

  test("give the program its socket and make it the main process, which reports that it is ready and stops at SIGTERM", async () => {
    await using esc = await startEscServer();
    esc.environment("acme/sophia/prod", { values: ESC_VALUES });

    const [credential = "", source = ""] = findSetting("LoadCredential").split(":");
    expect(source).toMatch(/^\//);
    // LoadCredential= makes files that only the service can read.
    const credentials = folder({ [credential]: `${esc.token}\n` });
    chmodSync(join(credentials, credential), 0o400);
    const env = Object.fromEntries(
      findSetting("Environment")
        .split(" ")
        .map((word) => word.replaceAll("%d", credentials).split("=")),
    );
    const [launcher, ...words] = findSetting("ExecStart").split(" ");
    expect(launcher).toBe("/usr/local/bin/sophia-run");
    const command = words.map((word) => word.replace("/usr/bin/", "").replace("/opt/sophia-app", examples));

    const driver = join(import.meta.dirname, "../helpers/systemd.py");
    const end = await startProcess(["python3", driver, ...sophiaRun, ...command], {
      cwd: credentials,
      env: { PATH: cleanPath, PULUMI_BACKEND_URL: esc.url, ...env, ESC_ENV: "acme/sophia/prod" },
    }).finished;
    expect(end).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(end.stdout)).toEqual({
      states: ["READY=1 from the main process", "STOPPING=1 from the main process"],
      body: `Qdrant is at ${CONTRACT_VALUES.QDRANT_URL}\n`,
      end: 0,
    });
    expect(esc.violations).toEqual([]);
  });

  test("are accepted by systemd, except that sophia-run is not installed", ({ skip }) => {
    const missing = notInstalled("systemd-analyze", "--version");
    skip(missing !== undefined, missing);
    const { stderr } = spawnSync("systemd-analyze", ["verify", "./sophia-app.service", "./sophia-app.socket"], {
      cwd: examples,
      encoding: "utf8",
    });
    expect(stderr.trim()).toBe(
      "sophia-app.service: Command /usr/local/bin/sophia-run is not executable: No such file or directory",
    );
  });
});
