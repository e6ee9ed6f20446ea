import { expect, test } from "vitest";
import { CONTRACT_VALUES, folder, sophia, unwrapLines } from "../../helpers/sophia.ts";

test.each([[["run", "--env-file=.env", "--", "true"]], [["exec", "--env-file", ".env", "--", "true"]]])(
  "the error for %j names --dotenv, which works",
  async (words) => {
    // An option that Node.js reads by itself.
    const cwd = folder({ ".env": "A=1\n" });
    const { status, stdout, stderr } = await sophia(words, { cwd, env: CONTRACT_VALUES });
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(/--env-file is called --dotenv\n {2}sophia-run --dotenv FILE -- COMMAND\n$/);
    expect((await sophia(["--dotenv", ".env", "--", "true"], { cwd, env: CONTRACT_VALUES })).status).toBe(0);
  },
);

test.each(["acme/*", "acme/app/d*", "**"])(
  "SOPHIA_ALLOW_ENVIRONMENT=%s is refused, with the form of a pattern",
  async (pattern) => {
    const contract = JSON.stringify({ environment: "acme/app/dev", variables: {} });
    const cwd = folder({ "sophia.contract.json": contract });
    const env = { ESC_TOKEN: "pul-0123456789abcdef", SOPHIA_ALLOW_ENVIRONMENT: pattern };
    const { status, stderr } = await sophia(["--", "true"], { cwd, env });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(`in '${pattern}' a * does not stand for a whole part, or parts are missing`);
    expect(unwrapLines(stderr)).toContain("acme/other/*");
  },
);
