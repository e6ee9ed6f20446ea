/** Files of tools whose service, or whose encrypted file, has the variables: they name none. */
import { printable } from "../../../core/text.ts";
import { attempt } from "../../../system/errors.ts";
import { objectOf } from "../package-json.ts";
import type { ToolResult } from "./details.ts";
import { parseYaml } from "./yaml.ts";

/** Reads `doppler.yaml`: a project and a config, or a list of them with paths. */
export function fromDoppler(text: string): ToolResult {
  const setup = objectOf(parseYaml(text))?.["setup"];
  const first = objectOf(Array.isArray(setup) ? setup[0] : setup) ?? {};
  const place = described({ project: first["project"], config: first["config"] });
  return ofService("doppler.yaml", place, "Doppler", "doppler secrets download --no-file --format env");
}

/** Reads `.infisical.json`: the identifier of a project and its usual environment. */
export function fromInfisical(text: string): ToolResult {
  const file = objectOf(attempt((): unknown => JSON.parse(text))) ?? {};
  const place = described({ project: file["workspaceId"], environment: file["defaultEnvironment"] });
  return ofService(".infisical.json", place, "Infisical", "infisical export --format=dotenv");
}

function ofService(file: string, place: string, service: string, download: string): ToolResult {
  const remarks = [
    `${file}${place} names no variable: ${service} has them; to write them into ESC, in bash or zsh:`,
    `  sophia-run import <(${download})`,
  ];
  return { candidates: [], remarks };
}

/** Reads `.env.vault` of dotenv-vault: one encrypted text for each environment. */
export function fromVault(text: string): ToolResult {
  const environments = [...text.matchAll(/^[ \t]*DOTENV_VAULT_([A-Z\d_]+)[ \t]*=/gm)]
    .map(([, name = ""]) => name.toLowerCase())
    .filter((name) => !name.endsWith("_version"));
  const place = described({ environments: environments.join(", ") });
  const remark = `.env.vault${place} names no variable: it is encrypted; decrypt it into .env, and start init again`;
  return { candidates: [], remarks: [remark] };
}

/** ` (project app, config dev)`; empty if there is nothing to name. */
function described(parts: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(parts).flatMap(([what, value]) =>
    typeof value === "string" && value !== "" ? `${what} ${printable(value.slice(0, 80))}` : [],
  );
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}
