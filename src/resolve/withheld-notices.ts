/** Notices of variables of ESC and of files that the program does not get. */
import type { Layer, Notice, Origin, Resolution, Variable } from "../core/model.ts";
import type { EscAccess } from "../esc/settings/access-settings.ts";
import { FROM_FILES, OUTER_FILE } from "../esc/settings/from-files.ts";
import { WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import type { Risks } from "./risks-of-files.ts";
import type { WithholdingReason } from "./select.ts";

type Withheld = Extract<Notice, { readonly kind: "withheld" }>;
type Location = Pick<Withheld, "file" | "environment">;

/**
 * Reports variables of files that the program does not get, except settings that sophia-run takes from `.env` files; and
 * sophia-run's own variables from any source but the process environment.
 */
export function withheldNotices(
  layers: readonly Layer[],
  selected: Resolution,
  { risks }: { readonly risks: Risks["byName"] },
  reasonFor: (variable: Variable) => WithholdingReason | undefined,
  { keepEsc, esc }: { readonly keepEsc: boolean; readonly esc: EscAccess["kind"] | "fake" },
): readonly Notice[] {
  const used = new Set([FROM_FILES, ...(keepEsc ? [] : settingsOfFiles(esc))]);
  return layers.flatMap(({ source, variables }) => {
    const opener = openedByFile(variables[0]?.origin);
    const reportedReason = (variable: Variable): Withheld["why"] | undefined => {
      const { name, value, origin } = variable;
      const risk = risks.get(name)?.get(origin);
      // Under its own name: a file of NAME_FILE counts as the environment, and an alias stands there.
      const isCallers = origin.source === "environment" && origin.alias === undefined && origin.read === undefined;
      if (risk === undefined && (value === "" || isCallers)) return undefined;
      if (selected.get(name)?.value === value || (source === "dotenv" && used.has(name))) return undefined;
      const reason = reasonFor(variable);
      if (reason === "callers-own") return reason;
      if (selected.has(name)) return undefined;
      return reason === "reserved" || reason === risk ? reason : undefined;
    };

    const notices = new Map<string, Withheld & { readonly names: string[] }>();
    for (const variable of variables) {
      const why = reportedReason(variable);
      if (why === undefined) continue;
      const location = locationOf(variable.origin, opener);
      const key = `${why} ${location.file} ${location.environment}`;
      const notice = notices.get(key) ?? { kind: "withheld", why, ...location, names: [] };
      notice.names.push(variable.name);
      notices.set(key, notice);
    }
    return [...notices.values()];
  });
}

/** Returns the settings of ESC that sophia-run reads from `.env` files, or reports otherwise. */
function settingsOfFiles(esc: EscAccess["kind"] | "fake"): readonly string[] {
  return [...WITHHELD_VARIABLES, "ESC_ORG", ...(esc === "off" ? [] : ["PULUMI_BACKEND_URL"])];
}

/** Returns the file that has set a variable, or the ESC environment, with the file whose credential has opened it. */
function locationOf(origin: Origin, opener: string | undefined): Location {
  if (origin.source === "esc") return { file: opener, environment: origin.environment };
  if (origin.source === "environment" && origin.read !== undefined) return { file: origin.read.file };
  return { file: "file" in origin ? origin.file : origin.alias === undefined ? OUTER_FILE : "the contract" };
}

function openedByFile(origin: Origin | undefined): string | undefined {
  return origin?.source === "esc" ? origin.openedBy : undefined;
}
