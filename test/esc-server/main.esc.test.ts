/** Tests the test server of the ESC API as a program. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { apiHeaders, sendApiRequest } from "./http.ts";

test.each([["SIGTERM"], ["the end of standard input"]])(
  "the server prints its address, and ends on %s",
  async (end) => {
    const program = spawn(process.execPath, ["--import", "tsx", "test/esc-server/main.ts", "--stdin"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(program, "exit");
    const [line] = await once(createInterface(program.stdout), "line");
    const { url, token, environment }: { url: string; token: string; environment: string } = JSON.parse(String(line));
    expect(environment).toBe("demo-org/sophia/dev");
    const headers = apiHeaders(token);
    const X = `${url}/api/esc/environments/${environment}`;
    const opened = await sendApiRequest(`${X}/open?duration=1h`, { method: "POST", headers });
    const { properties } = JSON.parse(
      (await sendApiRequest(`${X}/open/${JSON.parse(opened.body).id}`, { headers })).body,
    );
    expect(Object.keys(properties)).toEqual(["environmentVariables", "files"]);
    expect(properties.environmentVariables.value.QDRANT_URL.trace.def.environment).toBe("sophia/base");
    expect(properties.environmentVariables.value.LOG_LEVEL).toMatchObject({
      value: "debug",
      trace: { base: { value: "info" } },
    });
    const revisions = JSON.parse((await sendApiRequest(`${X}/versions`, { headers })).body);
    expect(revisions).toMatchObject([
      { number: 2, tags: ["latest"] },
      { number: 1, tags: ["stable"] },
    ]);
    if (end === "SIGTERM") program.kill("SIGTERM");
    else program.stdin.end();
    expect(await exited).toEqual([0, null]);
  },
);
