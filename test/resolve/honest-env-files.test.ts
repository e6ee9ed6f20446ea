/** What the rules for files of a repository cost honest ones: which variables they withhold, and why. */
import { expect, test } from "vitest";
import { isSecretName } from "../../src/contract/looks-secret.ts";
import { mayRunCode } from "../../src/trust/code-variables.ts";
import { isKeyAddress, prefixByForm } from "../../src/trust/key-addresses.ts";
import { mayDecideNetwork } from "../../src/trust/network-variables.ts";
import { isSuspect } from "../../src/trust/suspects.ts";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";
import { HONEST } from "./honest-env-files.ts";

const SESSION = { PATH: "/usr/bin", HOME: "/home/a", SHELL: "/bin/zsh", LANG: "C.UTF-8", SSH_AUTH_SOCK: "/run/agent" };
/** What a caller may have besides, or ESC: keys of other services than those of the file. */
const KEYS = { NPM_TOKEN: "x", GITHUB_TOKEN: "x" };

/** Returns the withheld names with their reasons, and the number of all names. */
async function cost(text: string, environment: Readonly<Record<string, string>>) {
  const own = new Map(Object.entries(environment));
  const cwd = folder({ ".env": `${text}\n`, "sophia.contract.json": '{"variables":{}}' });
  const start = await runStages(cwd, own);
  const { selected } = start.values;
  const { notices } = start.verdict;
  const withheld = notices.flatMap((one) => (one.kind === "withheld" ? [`${one.why}: ${one.names.join(" ")}`] : []));
  const names = text.split("\n").map((line) => line.slice(0, line.indexOf("=")));
  const lost = names.filter((name) => !own.has(name) && !selected.has(name));
  return { withheld, lost, names };
}

/** The secrets of a file, by their names, with other values. */
function secretsIn(text: string): Readonly<Record<string, string>> {
  const names = text.split("\n").map((line) => line.slice(0, line.indexOf("=")));
  return Object.fromEntries(names.filter(isSecretName).map((name) => [name, "of the caller"]));
}

async function costs(environmentFor: (text: string) => Readonly<Record<string, string>>) {
  const all = await Promise.all(
    Object.entries(HONEST).map(async ([title, text]) => [title, await cost(text, environmentFor(text))] as const),
  );
  const names = all.flatMap(([, one]) => one.names);
  const lost = all.flatMap(([, one]) => one.lost);
  const files = all
    .filter(([, one]) => one.lost.length > 0)
    .map(([title, one]) => [title, one.withheld.join("; ")] as const);
  return { names: names.length, lost: lost.length, files };
}

/** Without the key, or without `--allow`, each of these could do harm, and the program would not see that it is honest. */
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

test("of hundreds of honest variables these are withheld, each for a reason", async () => {
  expect(Object.keys(HONEST).length).toBeGreaterThan(90);
  const { names, lost, files } = await costs(() => SESSION);
  expect(names).toBeGreaterThan(400);
  expect(Object.fromEntries(files)).toEqual(WITHHELD);
  expect(lost / names).toBeLessThan(0.03);
});

test("keys of other services in the environment withhold a proxy besides", async () => {
  const { files } = await costs(() => ({ ...SESSION, ...KEYS }));
  const proxy = { "a company's proxy with the keys": "network: HTTPS_PROXY SSL_CERT_FILE" };
  expect(Object.fromEntries(files)).toEqual({ ...WITHHELD, ...proxy });
});

test("if the environment or ESC has the secrets of the file, addresses for them are withheld besides", async () => {
  const { files, names, lost } = await costs((text) => ({ ...SESSION, ...secretsIn(text) }));
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

test("a start loads the lists for few names that are not in them", () => {
  const variables = Object.values(HONEST).flatMap((text) =>
    text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const),
  );
  const others = variables.filter(
    ([name, value]) =>
      !mayRunCode(name) && !mayDecideNetwork(name) && !isKeyAddress(name) && prefixByForm(name, value) === undefined,
  );
  const suspects = others.filter(([name, value]) => isSuspect(name, value));
  expect(suspects.length / others.length).toBeLessThan(0.12);
});
