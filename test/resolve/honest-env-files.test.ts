/** Which variables of honest files the rules for files of a repository withhold, and why. */
import { expect, test } from "vitest";
import { isSecretName } from "../../src/contract/looks-secret.ts";
import { mayRunCode } from "../../src/trust/code-variables.ts";
import { isKeyAddress, prefixByForm } from "../../src/trust/key-addresses.ts";
import { mayDecideNetwork } from "../../src/trust/network-variables.ts";
import { isSuspect } from "../../src/trust/suspects.ts";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";
import { HONEST_ENV_FILES } from "./honest-env-files.ts";

const SESSION = { PATH: "/usr/bin", HOME: "/home/a", SHELL: "/bin/zsh", LANG: "C.UTF-8", SSH_AUTH_SOCK: "/run/agent" };
/** Variables that the caller or ESC may have: keys of services other than those in the file. */
const OTHER_KEYS = { NPM_TOKEN: "x", GITHUB_TOKEN: "x" };

/** Resolves a file's variables beside an environment. @returns the withheld names with the reasons, and all names */
async function findWithheld(text: string, environment: Readonly<Record<string, string>>) {
  const environmentMap = new Map(Object.entries(environment));
  const cwd = folder({ ".env": `${text}\n`, "sophia.contract.json": '{"variables":{}}' });
  const start = await runStages(cwd, environmentMap);
  const { selected } = start.values;
  const { notices } = start.verdict;
  const withheld = notices.flatMap((notice) =>
    notice.kind === "withheld" ? [`${notice.why}: ${notice.names.join(" ")}`] : [],
  );
  const names = text.split("\n").map((line) => line.slice(0, line.indexOf("=")));
  const lost = names.filter((name) => !environmentMap.has(name) && !selected.has(name));
  return { withheld, lost, names };
}

/** Returns variables with the names of the file's secrets, and other values. */
function secretsNamedIn(text: string): Readonly<Record<string, string>> {
  const names = text.split("\n").map((line) => line.slice(0, line.indexOf("=")));
  return Object.fromEntries(names.filter(isSecretName).map((name) => [name, "of the caller"]));
}

/** Does the same as {@link findWithheld} for all files, each beside the environment that `environmentFor` returns for it. */
async function findWithheldOfAll(environmentFor: (text: string) => Readonly<Record<string, string>>) {
  const results = await Promise.all(
    Object.entries(HONEST_ENV_FILES).map(
      async ([title, text]) => [title, await findWithheld(text, environmentFor(text))] as const,
    ),
  );
  const names = results.flatMap(([, result]) => result.names);
  const lost = results.flatMap(([, result]) => result.lost);
  const files = results
    .filter(([, result]) => result.lost.length > 0)
    .map(([title, result]) => [title, result.withheld.join("; ")] as const);
  return { names: names.length, lost: lost.length, files };
}

/** Variables that are withheld unless the file has the key or the caller allows them. An attacker could set each of them. */
const WITHHELD: Readonly<Record<string, string>> = {
  "openai app with the gateway alone": "redirects-key: OPENAI_BASE_URL",
  "langfuse of a company, settings alone": "redirects-key: LANGFUSE_HOST",
  "huggingface mirror": "redirects-key: HF_ENDPOINT",
  "aws local in compose, settings alone": "redirects-key: AWS_ENDPOINT_URL",
  "spring boot with a debugger for other machines": "runs-code: JAVA_TOOL_OPTIONS",
  "java with an agent": "runs-code: JAVA_TOOL_OPTIONS",
  "sentry, self-hosted, settings alone": "redirects-key: SENTRY_URL",
  "wandb of a company, settings alone": "redirects-key: WANDB_BASE_URL",
  "kubernetes in the repository": "runs-code: KUBECONFIG",
  "docker in docker": "redirects-key: DOCKER_HOST",
  "a company's proxy alone": "network: HTTPS_PROXY NODE_EXTRA_CA_CERTS",
  "no verification in development": "network: NODE_TLS_REJECT_UNAUTHORIZED",
};

test("only these of hundreds of honest variables are withheld, each for a reason", async () => {
  expect(Object.keys(HONEST_ENV_FILES).length).toBeGreaterThan(90);
  const { names, lost, files } = await findWithheldOfAll(() => SESSION);
  expect(names).toBeGreaterThan(400);
  expect(Object.fromEntries(files)).toEqual(WITHHELD);
  expect(lost / names).toBeLessThan(0.03);
});

test("a proxy in a file is withheld, too, if the environment has keys of other services", async () => {
  const { files } = await findWithheldOfAll(() => ({ ...SESSION, ...OTHER_KEYS }));
  const proxy = { "a company's proxy with the keys": "network: HTTPS_PROXY SSL_CERT_FILE" };
  expect(Object.fromEntries(files)).toEqual({ ...WITHHELD, ...proxy });
});

test("addresses to which a file's secrets are sent are withheld, too, if the environment or ESC has these secrets", async () => {
  const { files, names, lost } = await findWithheldOfAll((text) => ({ ...SESSION, ...secretsNamedIn(text) }));
  expect(Object.fromEntries(files)).toEqual({
    ...WITHHELD,
    "a company's proxy with the keys": "network: HTTPS_PROXY SSL_CERT_FILE",
    "an application with services of its own": "redirects-key: INVOICES_API_URL",
    "aws local in compose": "redirects-key: AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3",
    "cloudflare r2": "redirects-key: R2_ENDPOINT",
    langfuse: "redirects-key: LANGFUSE_HOST",
    "laravel with minio": "redirects-key: AWS_ENDPOINT",
    "openai app, through a gateway": "redirects-key: OPENAI_BASE_URL",
  });
  expect(lost / names).toBeLessThan(0.06);
});

test("a start loads the lists of dangerous names for few names that are not in the lists", () => {
  const variables = Object.values(HONEST_ENV_FILES).flatMap((text) =>
    text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
  const others = variables.filter(
    ([name, value]) =>
      !mayRunCode(name) && !mayDecideNetwork(name) && !isKeyAddress(name) && prefixByForm(name, value) === undefined,
  );
  const suspects = others.filter(([name, value]) => isSuspect(name, value));
  expect(suspects.length / others.length).toBeLessThan(0.12);
});
