/**
 * Parses the files of tools that keep a project's variables in a service, or encrypted, for `init`. Such a file names no
 * variable, so the results are only remarks for the user.
 */
import { printable } from "../../../core/text.ts";
import { attempt } from "../../../system/errors.ts";
import { objectOf } from "../package-json.ts";
import type { ToolResult } from "./tool-variable.ts";
import { parseYaml } from "./yaml.ts";

/**
 * Parses `doppler.yaml`, whose `setup` is one object or a list of them:
 *
 *     setup: { project: app, config: dev }
 */
export function parseDoppler(text: string): ToolResult {
  const setup = objectOf(parseYaml(text))?.["setup"];
  const { project, config } = objectOf(Array.isArray(setup) ? setup[0] : setup) ?? {};
  const place = describePlace({ project, config });
  return serviceResult("doppler.yaml", place, "Doppler", "doppler secrets download --no-file --format env");
}

/** Parses `.infisical.json`, such as `{ "workspaceId": "123", "defaultEnvironment": "dev" }`. */
export function parseInfisical(text: string): ToolResult {
  const file = objectOf(attempt((): unknown => JSON.parse(text))) ?? {};
  const place = describePlace({ project: file["workspaceId"], environment: file["defaultEnvironment"] });
  return serviceResult(".infisical.json", place, "Infisical", "infisical export --format=dotenv");
}

/** Returns the remark that explains how to write the variables of a service into ESC. */
function serviceResult(file: string, place: string, service: string, download: string): ToolResult {
  const remarks = [
    `${file}${place} names no variable: ${service} has them; to write them into ESC, in bash or zsh:`,
    `  sophia-run import <(${download})`,
  ];
  return { candidates: [], remarks };
}

/** Parses `.env.vault` of dotenv-vault, which has a line `DOTENV_VAULT_PRODUCTION="…"` for each environment. */
export function parseDotenvVault(text: string): ToolResult {
  const environments = [...text.matchAll(/^[ \t]*DOTENV_VAULT_([A-Z\d_]+)[ \t]*=/gm)]
    .map(([, name = ""]) => name.toLowerCase())
    .filter((name) => !name.endsWith("_version"));
  const place = describePlace({ environments: environments.join(", ") });
  const remark = `.env.vault${place} names no variable: it is encrypted; decrypt it into .env, and start init again`;
  return { candidates: [], remarks: [remark] };
}

/** Describes where a file says that the variables are, as in ` (project app, config dev)`; empty if it does not say so. */
function describePlace(parts: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(parts).flatMap(([label, value]) =>
    typeof value === "string" && value !== "" ? `${label} ${printable(value.slice(0, 80))}` : [],
  );
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}
