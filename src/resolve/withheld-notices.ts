/**
 * Creates the warnings about variables of ESC and of files that the program does not get, for a reason that the user may not expect:
 *
 *     NODE_OPTIONS in .env is not passed on (it can make other programs run code); --allow NODE_OPTIONS passes it on
 */
import type { Layer, Notice, Origin, Resolution, Variable } from "../core/model.ts";
import type { EscAccess } from "../esc/settings/access-settings.ts";
import { FROM_FILES, OUTER_FILE } from "../esc/settings/from-files.ts";
import { WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import type { Risks } from "./risks-of-files.ts";
import type { WithholdingReason } from "./select.ts";

type WithheldNotice = Extract<Notice, { readonly kind: "withheld" }>;
type Location = Pick<WithheldNotice, "file" | "environment">;

/** The facts that decide whether a withheld variable is reported. */
interface ReportRule {
  /** The variables that the program gets. */
  readonly selected: Resolution;
  readonly risks: Risks["byName"];
  /** Returns why the program does not get a variable (`createWithholdingRule`). */
  readonly reasonFor: (variable: Variable) => WithholdingReason | undefined;
}

/**
 * Returns a notice for each location and reason. Reported are variables with a reserved name, those that would do harm, and those
 * that would override the caller's session. Not reported are settings for ESC that sophia-run itself takes from `.env` files.
 *
 * @param layers the highest precedence is first
 */
export function createWithheldNotices(
  layers: readonly Layer[],
  rule: ReportRule,
  { keepEsc, esc }: { readonly keepEsc: boolean; readonly esc: EscAccess["kind"] | "fake" },
): readonly Notice[] {
  // With `--keep-esc` the user expects the program to get these settings, so that a withheld one is reported.
  const usedByLauncher = new Set([FROM_FILES, ...(keepEsc ? [] : escSettingsInFiles(esc))]);
  return layers.flatMap(({ source, variables }) => {
    const reportable = source === "dotenv" ? variables.filter(({ name }) => !usedByLauncher.has(name)) : variables;
    // All variables of one ESC layer have been opened by the same credential.
    const credentialFile = credentialFileOf(variables[0]?.origin);
    const notices = new Map<string, WithheldNotice & { readonly names: string[] }>();
    for (const variable of reportable) {
      const why = findReportedReason(variable, rule);
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

/** Returns why a variable is withheld, if the user may not expect that; otherwise undefined. */
function findReportedReason(
  variable: Variable,
  { selected, risks, reasonFor }: ReportRule,
): WithheldNotice["why"] | undefined {
  const { name, value, origin } = variable;
  const risk = risks.get(name)?.get(origin);
  // The values of `NAME_FILE` and of aliases also have the origin `environment`, but the caller has not set this name.
  const isSetByCaller = origin.source === "environment" && origin.alias === undefined && origin.read === undefined;
  if (risk === undefined && (value === "" || isSetByCaller)) return undefined;
  // The program gets the same value from another source.
  if (selected.get(name)?.value === value) return undefined;
  const reason = reasonFor(variable);
  // This comes before the next line, because the program gets the caller's value, and `selected` has the name.
  if (reason === "callers-own") return reason;
  // The program gets the variable from another source.
  if (selected.has(name)) return undefined;
  return reason === "reserved" || reason === risk ? reason : undefined;
}

/** Returns the settings for ESC in `.env` files that sophia-run itself uses, or reports in other notices. */
function escSettingsInFiles(esc: EscAccess["kind"] | "fake"): readonly string[] {
  return [...WITHHELD_VARIABLES, "ESC_ORG", ...(esc === "off" ? [] : ["PULUMI_BACKEND_URL"])];
}

/** Returns the file that sets a variable, or the ESC environment with the file whose credential opened it. */
function locationOf(origin: Origin, credentialFile: string | undefined): Location {
  if (origin.source === "esc") return { file: credentialFile, environment: origin.environment };
  if (origin.source === "environment" && origin.read !== undefined) return { file: origin.read.file };
  if ("file" in origin) return { file: origin.file };
  // The rest is in the process environment: the contract renames it by an alias, or an outer sophia-run read it from a file.
  return { file: origin.alias === undefined ? OUTER_FILE : "the contract" };
}

/** Returns the file whose credential opened the ESC environment of an origin; undefined for other origins. */
function credentialFileOf(origin: Origin | undefined): string | undefined {
  return origin?.source === "esc" ? origin.openedBy : undefined;
}
