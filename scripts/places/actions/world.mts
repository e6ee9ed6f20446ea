/** The world of all cases of GitHub Actions: ESC's stand-in, the issuer of ID tokens, github.com, a project and its values. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { startActionsIssuer } from "../../../test/esc-server/actions-issuer.ts";
import { secret, startEscServer } from "../../../test/esc-server/index.ts";
import { act, example, type Outcome, sentinel, type Work } from "./act.mts";
import { startGithub } from "./github.mts";

const CHECKOUT = /actions\/checkout@[0-9a-f]{40}/.exec(example("job.yml"))?.[0] ?? "";
const OWN = /sophia-platform\/sophia-run@v[\d.]+/.exec(example("oidc.yml"))?.[0] ?? "";

const MODE = "public";

/** The values of the environments `acme/sophia/ci` and `acme/sophia/prod` that the contract declares. */
export const VALUES: Readonly<Record<string, string>> = {
  KEY: sentinel("key"),
  PEM: `-----BEGIN PRIVATE KEY-----\n${sentinel("line-1")}\n${sentinel("line-2")}\n-----END PRIVATE KEY-----\n`,
  // It would end a value whose delimiter was guessed, and begin variables of its own.
  ENDING: `${sentinel("ending")}\nEOF\nBASH_ENV<<EOF\n/tmp/evil\nEOF\nghadelimiter_0\nsophia_run_0\nINJECTED=1`,
  // Without `::`, at whose last occurrence act, unlike GitHub's runner, ends a command's name.
  AWKWARD: `${sentinel("awkward")} 100%25 ##[error]no "quoted" \\n é`,
  MODE,
  PULUMI_ACCESS_TOKEN: sentinel("deploy"),
  GH_FINE_GRAINED_TOKEN: sentinel("github"),
};

/** A secret that they have beside. */
export const UNDECLARED = sentinel("undeclared");

const CONTRACT = {
  variables: {
    KEY: { required: true },
    PEM: {},
    ENDING: {},
    AWKWARD: {},
    MODE: { secret: false },
    PULUMI_ACCESS_TOKEN: {},
    GH_FINE_GRAINED_TOKEN: {},
    ABSENT: {},
  },
};

/** In which variables the report looks: the declared ones, and those that no step may have. */
const NAMES = [...Object.keys(VALUES), "ABSENT", "UNDECLARED", "INJECTED", "BASH_ENV", "ESC_TOKEN"];

/** Prints a digest of each value, and the value, of which the log must show nothing. */
const REPORT = `
const { createHash } = require("node:crypto");
for (const name of ${JSON.stringify(NAMES)}) {
  const value = process.env[name];
  if (value === undefined) continue;
  console.log("has", name, createHash("sha256").update(value).digest("hex"));
  console.log(value);
}
`;

/** The report of a program that has these variables alone. */
export function has(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).map(
    ([name, value]) => `has ${name} ${createHash("sha256").update(value).digest("hex")}`,
  );
}

export function reported({ lines }: Outcome): readonly string[] {
  return lines.filter((line) => line.startsWith("has "));
}

export const issuer = await startActionsIssuer();
export const esc = await startEscServer({ token: `pul-${sentinel("token")}` });
const ci = esc.environment("acme/sophia/ci", {});
export const prod = esc.environment("acme/sophia/prod", {});
export const github = await startGithub({
  actions: join(process.cwd(), ".cache/places/actions/repositories/actions"),
  pulumi: join(process.cwd(), ".cache/places/actions/repositories/pulumi"),
  "sophia-platform": "/places/sophia-platform",
});

/** Everything as it is before each case. */
export function reset(): void {
  const values = {
    ...Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [name, secret(value)])),
    MODE,
    UNDECLARED: secret(UNDECLARED),
  };
  ci.revise({ values });
  prod.revise({ values });
  esc.oidc = { issuers: [issuer.trust], organization: "acme" };
  esc.reset();
}

/** The variables that the runner sets for a job with `id-token: write`. */
export const ID_TOKEN = {
  ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
};

export const TOKEN = { ESC_TOKEN: esc.token };

export const PROJECT = {
  "sophia.contract.json": JSON.stringify(CONTRACT, undefined, 2),
  "report.js": REPORT,
  "package.json": JSON.stringify({ scripts: { test: "node report.js", deploy: "node report.js" } }),
};

/** A contract that the environments do not meet. */
export const UNMET_CONTRACT = {
  "sophia.contract.json": JSON.stringify(
    { variables: { ...CONTRACT.variables, ABSENT: { required: true, label: "Not there" } } },
    undefined,
    2,
  ),
};

/** Runs a workflow in a project, with ESC's stand-in as Pulumi Cloud. The message of a failed assertion has its log. */
export async function run(
  work: Partial<Work> & Pick<Work, "workflow">,
  check: (outcome: Outcome) => void | Promise<void>,
): Promise<void> {
  const outcome = await act({ files: PROJECT, ...work, env: { PULUMI_BACKEND_URL: esc.url, ...work.env } });
  try {
    await check(outcome);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${outcome.log}`, { cause: error });
  }
}

/** A workflow with one job, whose steps come after the checkout. */
export function workflow(...steps: readonly string[]): string {
  const all = [`- uses: ${CHECKOUT}`, ...steps].map((step) => step.trimEnd().replaceAll("\n", "\n      "));
  return `on: [push, pull_request]\njobs:\n  job:\n    runs-on: ubuntu-24.04\n    steps:\n      ${all.join("\n      ")}\n`;
}

/** A step with the action, named `config`. */
export function action(inputs: Readonly<Record<string, string>>): string {
  return `- name: config\n  id: config\n  uses: ${OWN}\n  with: ${JSON.stringify(inputs)}`;
}

export const WITH_TOKEN = { environment: "acme/sophia/ci", token: "${{ secrets.ESC_TOKEN }}" };

/** A step that has what each later step has. */
export const LATER = "- name: later\n  run: node report.js";
