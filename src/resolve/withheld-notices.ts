/** Notices of variables of files that the program does not get. */
import type { Layer, Notice, Origin, Resolution, Variable } from "../core/model.ts";
import type { EscAccess } from "../esc/settings/access.ts";
import { FROM_FILES, OUTER_FILE } from "../esc/settings/from-files.ts";
import type { Risks } from "./risks.ts";
import type { Withholding } from "./select.ts";

type Withheld = Extract<Notice, { readonly kind: "withheld" }>;
type FileLocation = Pick<Withheld, "file" | "environment">;

/** Reports variables of files that the program does not get, except settings that sophia-run takes from files. */
export function withheldNotices(
  layers: readonly Layer[],
  selected: Resolution,
  { risks }: { readonly risks: Risks["byName"] },
  reasonFor: (variable: Variable) => Withholding | undefined,
  { keepEsc, esc }: { readonly keepEsc: boolean; readonly esc: EscAccess["kind"] | "fake" },
): readonly Notice[] {
  const used = new Set([FROM_FILES, ...(keepEsc ? [] : ["ESC_ORG", ...(esc === "off" ? [] : ["PULUMI_BACKEND_URL"])])]);
  return layers.flatMap(({ source, variables }) => {
    const opener = openedByFile(variables[0]?.origin);
    const isOfFile = source !== "environment" && (source !== "esc" || opener !== undefined);
    // Other sources contain variables of a file only through an outer sophia-run or a contract.
    if (!isOfFile && risks.size === 0) return [];

    const reportedReason = (variable: Variable): Withheld["why"] | undefined => {
      const { name, value, origin } = variable;
      const risk = risks.get(name)?.get(origin);
      if (risk === undefined && (!isOfFile || value === "")) return undefined;
      if (selected.get(name)?.value === value || (used.has(name) && opener === undefined)) return undefined;
      const reason = reasonFor(variable);
      if (reason === "callers-own") return reason;
      if (selected.has(name)) return undefined;
      return reason === "reserved" || reason === risk ? reason : undefined;
    };

    const notices = new Map<Withheld["why"], Withheld & { readonly names: string[] }>();
    for (const variable of variables) {
      const why = reportedReason(variable);
      if (why === undefined) continue;
      const notice = notices.get(why) ?? { kind: "withheld", why, ...locationOf(variable.origin, opener), names: [] };
      notice.names.push(variable.name);
      notices.set(why, notice);
    }
    return [...notices.values()];
  });
}

/** Returns the file that has set a variable, with the ESC environment that the file's credential has opened. */
function locationOf(origin: Origin, opener: string | undefined): FileLocation {
  const outer = origin.alias === undefined ? OUTER_FILE : "the contract";
  const file = "file" in origin ? origin.file : (opener ?? outer);
  return opener !== undefined && "environment" in origin ? { file, environment: origin.environment } : { file };
}

function openedByFile(origin: Origin | undefined): string | undefined {
  return origin?.source === "esc" ? origin.openedBy : undefined;
}
