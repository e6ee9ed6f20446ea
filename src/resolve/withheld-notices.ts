/** Warns about variables of ESC and of files that the program does not get for a reason that the user may not expect. */
import type { Layer, Notice, Origin, Resolution, Variable } from "../core/model.ts";
import type { EscAccess } from "../esc/settings/access-settings.ts";
import { FROM_FILES, OUTER_FILE } from "../esc/settings/from-files.ts";
import { WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import type { Risks } from "./risks-of-files.ts";
import type { WithholdingReason } from "./select.ts";

type Withheld = Extract<Notice, { readonly kind: "withheld" }>;
type Location = Pick<Withheld, "file" | "environment">;

/**
 * Returns a notice for each source and reason. Reported are variables with a reserved name, those that would do harm, and those
 * that would override the caller's session. Not reported are settings for ESC that sophia-run itself takes from `.env` files.
 *
 * @param layers the highest precedence is first
 * @param reasonFor the rule of `createWithholdingRule`
 */
export function withheldNotices(
  layers: readonly Layer[],
  selected: Resolution,
  { risks }: { readonly risks: Risks["byName"] },
  reasonFor: (variable: Variable) => WithholdingReason | undefined,
  { keepEsc, esc }: { readonly keepEsc: boolean; readonly esc: EscAccess["kind"] | "fake" },
): readonly Notice[] {
  const usedByLauncher = new Set([FROM_FILES, ...(keepEsc ? [] : settingsOfFiles(esc))]);
  return layers.flatMap(({ source, variables }) => {
    const credentialFile = openedBy(variables[0]?.origin);
    const reportedReason = (variable: Variable): Withheld["why"] | undefined => {
      const { name, value, origin } = variable;
      const risk = risks.get(name)?.get(origin);
      // The origin of a file of `NAME_FILE` is the environment, too, and so is that of an alias.
      const isCallers = origin.source === "environment" && origin.alias === undefined && origin.read === undefined;
      if (risk === undefined && (value === "" || isCallers)) return undefined;
      if (selected.get(name)?.value === value || (source === "dotenv" && usedByLauncher.has(name))) return undefined;
      const reason = reasonFor(variable);
      if (reason === "callers-own") return reason;
      if (selected.has(name)) return undefined;
      return reason === "reserved" || reason === risk ? reason : undefined;
    };

    const notices = new Map<string, Withheld & { readonly names: string[] }>();
    for (const variable of variables) {
      const why = reportedReason(variable);
      if (why === undefined) continue;
      const location = locationOf(variable.origin, credentialFile);
      const key = `${why} ${location.file} ${location.environment}`;
      const notice = notices.get(key) ?? { kind: "withheld", why, ...location, names: [] };
      notice.names.push(variable.name);
      notices.set(key, notice);
    }
    return [...notices.values()];
  });
}

/** Returns the settings for ESC that sophia-run takes from `.env` files, or reports in other notices. */
function settingsOfFiles(esc: EscAccess["kind"] | "fake"): readonly string[] {
  return [...WITHHELD_VARIABLES, "ESC_ORG", ...(esc === "off" ? [] : ["PULUMI_BACKEND_URL"])];
}

/** Returns the file that sets a variable, or the ESC environment with the file whose credential opened it. */
function locationOf(origin: Origin, credentialFile: string | undefined): Location {
  if (origin.source === "esc") return { file: credentialFile, environment: origin.environment };
  if (origin.source === "environment" && origin.read !== undefined) return { file: origin.read.file };
  if ("file" in origin) return { file: origin.file };
  // The environment's own variables have an alias of the contract, or come from a file of an outer sophia-run.
  return { file: origin.alias === undefined ? OUTER_FILE : "the contract" };
}

/** Returns the file whose credential opened the ESC environment of an origin. */
function openedBy(origin: Origin | undefined): string | undefined {
  return origin?.source === "esc" ? origin.openedBy : undefined;
}
