import { expect, test } from "vitest";
import { startActionsIssuer } from "../../esc-server/actions-issuer.ts";
import { startEscServer } from "../../esc-server/index.ts";
import { parseEnvironment, folder, sophia } from "../../helpers/sophia.ts";

const NAMES = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"] as const;

/** With them the program could open what sophia-run has opened. */
test("a start withholds the request token for ID tokens of GitHub Actions if it opened ESC; --keep-esc passes it on", async () => {
  await using issuer = await startActionsIssuer();
  await using server = await startEscServer();
  server.environment("acme/app/dev", { values: { GREETING: "hello" } });
  server.oidc = { issuers: [issuer.trust], organization: "acme" };
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { GREETING: { required: true } } }) });
  const requestVariables = { [NAMES[0]]: issuer.requestUrl, [NAMES[1]]: issuer.requestToken };
  const esc = { ESC_ENV: "acme/app/dev", ESC_OIDC_ORG: "acme", PULUMI_BACKEND_URL: server.url };
  const seen = async (env: Readonly<Record<string, string>>, ...options: readonly string[]) => {
    const { status, stdout } = await sophia([...options, "--", "env"], { cwd, env: { ...env, ...requestVariables } });
    const { GREETING: greeting, ...environment } = parseEnvironment(stdout);
    return { status, greeting, passed: NAMES.filter((name) => environment[name] === requestVariables[name]) };
  };

  expect(await seen(esc)).toEqual({ status: 0, greeting: "hello", passed: [] });
  expect(await seen(esc, "--keep-esc")).toEqual({ status: 0, greeting: "hello", passed: NAMES });
  // A service token opened it: the program may ask for ID tokens of its own.
  expect(await seen({ ...esc, ESC_TOKEN: server.token })).toEqual({ status: 0, greeting: "hello", passed: NAMES });
  expect(await seen({ GREETING: "own" })).toEqual({ status: 0, greeting: "own", passed: NAMES });
});
