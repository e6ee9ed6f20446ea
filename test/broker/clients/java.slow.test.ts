import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { REAL_KEYS } from "../routes.ts";
import { startBroker, startUpstream } from "../upstream.ts";

const runFile = promisify(execFile);

describe("the HTTP client of the JDK", () => {
  skipBecause(notInstalled("javac", "-version"));

  test("gets its answers through the broker, although it offers HTTP/2", async () => {
    const upstream = await startUpstream((request, response, received) => {
      request.on("end", () => response.end(String(received.body.length)));
    });
    const { origin, routes } = await startBroker(upstream.origin);
    const { stdout } = await runFile("java", [join(import.meta.dirname, "Ask.java")], {
      env: { PATH: process.env["PATH"], OPENAI_BASE_URL: `${origin}/v1`, OPENAI_API_KEY: routes[0].dummy },
    });
    expect(stdout).toBe("HTTP_1_1 200 5\nHTTP_1_1 200 100000\n");
    expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 2 }, () => `Bearer ${REAL_KEYS["OPENAI_API_KEY"]}`),
    );
  });
});
