/**
 * Explains for `sophia-run explain` what `--refresh` or `--aws-refresh` does with a variable. These options renew
 * credentials and files from ESC while the program runs. The file has the facts, and the rows of the report.
 */
import type { Settings } from "../../command-line/settings.ts";
import type { Start } from "../../resolve/start.ts";
import {
  describeExpirySource,
  reportPossibleRefresh,
  type RefreshReport,
  type RenewalReport,
  reportRefresh,
} from "../parts/refresh/refresh-report.ts";
import { CLOUD_FACTS, type RenewedKind } from "../run/refresh/cloud-credentials.ts";

type RefreshOption = RefreshReport["scope"]["option"];

/** The effect on one variable, as it appears in the JSON report. */
export type RefreshExplanation =
  /** The program asks sophia-run for the credentials, or reads a file that is renewed. */
  | ({ readonly kind: "renewed"; readonly of: RenewedKind } & Pick<
      Extract<RenewalReport, { readonly kind: "renewed" }>,
      "expiresAt" | "by" | "renewsAt"
    >)
  /** The program does not get it, since SDKs would look there first. */
  | { readonly kind: "withheld"; readonly option: RefreshOption }
  /** sophia-run sets it, so that SDKs find the renewed credentials. */
  | { readonly kind: "set"; readonly option: RefreshOption }
  /** A start would end with this failure. */
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string }
  /** The user has not given the option, which would renew the variable. */
  | { readonly kind: "offer" };

/** Explains single variables. Its creation has computed what all variables share. */
export interface RefreshExplainer {
  /** The names of variables that the program gets although no source sets them. */
  readonly addedNames: readonly string[];
  /** Explains a variable; undefined if --refresh does not concern it. */
  readonly explain: (name: string) => RefreshExplanation | undefined;
}

/** Prepares the explanation of all variables of a start. */
export function createRefreshExplainer(start: Start, settings: Settings): RefreshExplainer {
  const report = reportRefresh(start, settings);
  const offer = reportPossibleRefresh(start);
  const renewals = Array.from(report?.reportsByKind ?? []);
  return {
    addedNames: renewals.flatMap(([, renewal]) => (renewal.kind === "renewed" ? renewal.set : [])),
    explain: (name) => {
      for (const [kind, renewal] of renewals) {
        const explanation = explainByRenewal(name, kind, renewal, report?.scope.option ?? "--refresh");
        if (explanation !== undefined) return explanation;
      }
      // The option would renew the variable, but does not cover this kind of credentials or is not given.
      const isOffered = Array.from(offer.reportsByKind).some(([kind, renewal]) => {
        return (
          report?.reportsByKind.has(kind) !== true && renewal.kind === "renewed" && renewal.variables.includes(name)
        );
      });
      return isOffered ? { kind: "offer" } : undefined;
    },
  };
}

/**
 * Explains a variable by what happens to one kind of credentials, or to files. Returns undefined if the variable is not of
 * this kind.
 */
function explainByRenewal(
  name: string,
  kind: RenewedKind,
  renewal: RenewalReport,
  option: RefreshOption,
): RefreshExplanation | undefined {
  switch (renewal.kind) {
    case "nothing":
      return undefined;
    case "refused": {
      const { problem, remedy } = renewal;
      const isConflicting = kind !== "files" && CLOUD_FACTS[kind].conflictingVariables.includes(name);
      return isConflicting ? { kind: "refused", problem, remedy } : undefined;
    }
    case "renewed": {
      const { expiresAt, by, renewsAt, variables, set, withheld } = renewal;
      if (variables.includes(name)) return { kind: "renewed", of: kind, expiresAt, by, renewsAt };
      if (set.includes(name)) return { kind: "set", option };
      return withheld.includes(name) ? { kind: "withheld", option } : undefined;
    }
  }
}

/** Returns the rows about one variable, each a key and a text. @param isDetailed true for a variable that the user named */
export function createRefreshRows(
  explanation: RefreshExplanation | undefined,
  isDetailed: boolean,
): readonly (readonly [string, string])[] {
  switch (explanation?.kind) {
    case undefined:
      return [];
    case "renewed": {
      const { of, expiresAt, by, renewsAt } = explanation;
      const effect =
        of === "files"
          ? "its file gets each new content, under the same path"
          : "the program gets it from sophia-run when it is needed, not as a variable";
      return [
        ["refresh", effect],
        ["expires", `at ${expiresAt} (${describeExpirySource(by)}), renewed at ${renewsAt}`],
      ];
    }
    case "withheld":
      return [
        ["refresh", `${explanation.option} withholds it: SDKs would look there first, or it would be out of date`],
      ];
    case "set":
      return [["refresh", `${explanation.option} sets it, so that SDKs find credentials that are renewed`]];
    case "refused":
      return [
        ["refresh", `refused: ${explanation.problem}`],
        ...(isDetailed ? [["", explanation.remedy] as const] : []),
      ];
    case "offer":
      return isDetailed ? [["refresh", "--refresh would renew it while the program runs"]] : [];
  }
}
