import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mentionsEscSetting } from "../../../src/commands/parts/esc-use.ts";
import { folder, sophia } from "../../helpers/sophia.ts";

const contract = (variables: object): string => JSON.stringify({ variables });

test.each([
  ["no setting", contract({ A: {} }), "A=1\n", {}, false],
  ["an environment", contract({ A: {} }), "A=1\n", { ESC_ENV: "acme/app/dev" }, true],
  ["an ID token in the environment", contract({ A: {} }), "A=1\n", { ESC_OIDC_TOKEN_FILE: "token" }, true],
  ["an ID token in .env", contract({ A: {} }), "A=1\nESC_OIDC_ORG=acme\n", {}, true],
  ["an empty setting in .env", contract({ A: {} }), "A=1\nESC_OIDC_ORG=\n", {}, false],
  ["an ID token in the contract", contract({ A: {}, ESC_OIDC_ORG: {} }), "A=1\n", {}, true],
])("documents are about ESC if the project uses it: %s", async (_, text, dotenv, env, isAbout) => {
  const cwd = folder({ "sophia.contract.json": text, ".env": dotenv });
  expect(await sophia(["docs", "SECRETS.md"], { cwd, env })).toMatchObject({ status: 0 });
  expect(readFileSync(join(cwd, "SECRETS.md"), "utf8").includes("Pulumi ESC")).toBe(isAbout);
});

test.each([
  ["ESC_ENV: acme/app/dev", true],
  ["ESC_TOKEN: ${{ secrets.ESC_TOKEN }}", true],
  ["ESC_TOKEN_FILE: token", true],
  ["ESC_TOKEN_COMMAND: printenv PULUMI_ACCESS_TOKEN", true],
  ["ESC_OIDC_ORG: acme", true],
  ["ESC_OIDC_TOKEN_FILE: token", true],
  ["oidc-organization: acme", true],
  ["ESC_KEY: a\nMY_ESC_ENV: a", false],
])("a workflow uses ESC if it has a setting of it: %s", (text, uses) => {
  expect(mentionsEscSetting(text)).toBe(uses);
});
