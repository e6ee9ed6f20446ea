/** The fast check of names must find all names in the lists, because a start loads the lists only for names that it finds. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CODE_NAMES, mayRunCode } from "../../src/trust/code-variables.ts";
import { isKeyAddress, prefixByForm } from "../../src/trust/key-addresses.ts";
import { mayDecideNetwork, NETWORK_NAMES } from "../../src/trust/network-variables.ts";
import { isSuspect } from "../../src/trust/suspects.ts";
import { KEY_ADDRESSES } from "./addresses.ts";

const PREFIXES = [
  "npm_config_",
  "NPM_CONFIG_",
  "pnpm_config_",
  "yarn_",
  "YARN_",
  "PIP_",
  "CARGO_",
  "HEX_",
  "GLOBAL_AGENT_",
];
/** Names of families of variables, in the spellings that programs read. */
const FAMILIES = [
  "LD_PRELOAD LD_PRELOAD_64 LDR_PRELOAD LDR_PRELOAD64 LD_AUDIT BASH_FUNC_ls%% GIT_CONFIG GIT_CONFIG_KEY_0 LUA_INIT_5_4",
  "COR_PROFILER_PATH CORECLR_PROFILER_PATH_64 DOTNET_GCName DOTNET_GCPath DOTNET_JitName COMPlus_AltJitName",
  "OMPI_MCA_plm_rsh_agent PMIX_MCA_mca_component_path PRTE_MCA_launch_agent",
  "npm_config_script-shell NPM_CONFIG_NODE_OPTIONS pnpm_config_script_shell yarn_yarn_path YARN_PLUGINS",
  "npm_config_git npm_config_editor npm_config_userconfig npm_config_prefix npm_config_global-pnpmfile",
  "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS ERL_OTP27_FLAGS",
  "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS ES_JAVA_OPTS",
  "JAVA_OPTS_APPEND TF_CLI_ARGS_plan",
].flatMap((line) => line.split(" "));
const PROXIES = [
  "HTTP_PROXY",
  "https_proxy",
  "All_Proxy",
  "FTP_PROXY",
  "socks5_proxy",
  "WS_PROXY",
  "RSYNC_PROXY",
  "grpc_proxy",
];

test.each([...CODE_NAMES, ...FAMILIES])("the fast check finds %s, which may run code", (name) => {
  expect([mayRunCode(name), isSuspect(name, "x")]).toEqual([true, true]);
});

test.each([
  ...NETWORK_NAMES,
  ...NETWORK_NAMES.map((name) => name.toLowerCase()),
  ...NETWORK_NAMES.map((name) => name.toLowerCase().replaceAll("_", "-")),
  ...PROXIES,
  ...PREFIXES.flatMap((prefix) => [`${prefix}https_proxy`, `${prefix}HTTP_PROXY`]),
  "npm_config_https-proxy",
  "npm_config_proxy",
  "PIP_PROXY",
  "VAULT_PROXY_ADDR",
  "CLOUDSDK_PROXY_ADDRESS",
])("the fast check finds %s, which decides how programs connect", (name) => {
  expect([mayDecideNetwork(name), isSuspect(name, "x")]).toEqual([true, true]);
});

test.each(KEY_ADDRESSES)("the fast check finds %s, which is an address of a key", (name) => {
  expect([isKeyAddress(name), isSuspect(name, "x")]).toEqual([true, true]);
});

test.each([
  "BASE_URL",
  "BASEURL",
  "API_URL",
  "API_BASE",
  "API_BASE_URL",
  "API_HOST",
  "API_ENDPOINT",
  "ENDPOINT",
  "HOST",
])("the fast check finds INVOICES_%s, which is an address by its form", (ending) => {
  const name = `INVOICES_${ending}`;
  expect(prefixByForm(name, "https://invoices.test")).toBe("INVOICES");
  expect(isSuspect(name, "https://invoices.test")).toBe(true);
  expect(prefixByForm(name, "http://localhost:1")).toBeUndefined();
});

test.each([
  ["NO_PROXY no_proxy TRUST_PROXY NGINX_PROXY"],
  ["NODE_ENV PORT DATABASE_URL SECRET_KEY OPENAI_API_KEY APP_URL PYTHONPATH EDITORIAL GEMINI_API_KEY CORS_ORIGIN"],
])("the harmless names %s are in no list", (names) => {
  for (const name of names.split(" ")) {
    expect([name, mayRunCode(name), mayDecideNetwork(name), isKeyAddress(name)]).toEqual([name, false, false, false]);
  }
});

test("docs/threat-model.md lists all names", () => {
  const document = readFileSync(join(import.meta.dirname, "../../docs/threat-model.md"), "utf8");
  // The earlier part of the document has blocks of code, whose backticks would be paired with the backticks of names.
  const text = document.slice(document.indexOf("## Lists of names"));
  const listed = new Set(Array.from(text.matchAll(/`([^`]+)`/g), ([, name]) => name));
  // On Windows these names have capital letters only, and the document has them in their usual spelling.
  const others = ["PSMODULEPATH", "DOTNET_DIAGNOSTICPORTS"];
  expect([...CODE_NAMES, ...NETWORK_NAMES].filter((name) => !listed.has(name))).toEqual(others);
});
