import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { secret } from "../../../esc-server/index.ts";
import { parseEnvironment, sophia, sophiaRun } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { ENV, startEscProject } from "./esc-project.ts";
import { sentinelOf } from "../../sophia-environment.ts";

test.each<[command: string, args: readonly string[], input: string]>([
  ["rotate", ["rotate", "KEY", "--yes"], sentinelOf("new")],
  ["set", ["set", "KEY", "--overwrite"], sentinelOf("new")],
  ["import", ["import", ".env", "--overwrite", "--yes"], ""],
])(
  "%s that is killed between writing and reading back has written, and changes nothing when it is run again",
  async (_, args, input) => {
    const spec = { values: { KEY: secret(sentinelOf("old")), OTHER: "1" } };
    const { server, handle, cwd, env } = await startEscProject(spec, { ".env": `KEY=${sentinelOf("new")}\n` });
    // The service writes, and its answer does not end.
    server.failNext("update", { kind: "hang", at: "body" });
    const [command, ...prefix] = sophiaRun;
    const child = spawn(command, [...prefix, ...args], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: cwd, ...env },
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.stdin.on("error", () => {}).end(input);
    await server.waitFor("update");
    child.kill("SIGKILL");
    await once(child, "close");
    expect(handle.revisions).toHaveLength(2);
    server.heal();
    const result = await sophia(args, { cwd, env, input });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expectWording(result.stdout);
    expect(handle.revisions).toHaveLength(2);
    const launcher = { PULUMI_BACKEND_URL: server.url, ESC_ENV: ENV, ESC_TOKEN: server.token };
    const { stdout } = await sophia(["--no-contract", "--", "env"], { env: launcher });
    expect(parseEnvironment(stdout)).toMatchObject({ KEY: sentinelOf("new"), OTHER: "1" });
  },
);
