/** Explains what --aws-refresh does with a variable. */
import type { Settings } from "../../command-line/settings.ts";
import type { Start } from "../../resolve/start.ts";
import { type AwsReport, renewsAws, reportAws } from "../parts/aws/aws-report.ts";
import { KEYS } from "../run/aws/aws-credentials.ts";

export type AwsExplanation =
  /** The program asks sophia-run for it. */
  | ({ readonly kind: "renewed" } & Pick<
      Extract<AwsReport, { readonly kind: "renewed" }>,
      "expiresAt" | "by" | "renewsAt"
    >)
  | { readonly kind: "withheld" }
  /** The program gets it from sophia-run. */
  | { readonly kind: "set" }
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string }
  /** Without --aws-refresh: it would be renewed. */
  | { readonly kind: "offer" };

export interface AwsExplainer {
  /** Variables that the program gets although no source sets them. */
  readonly added: readonly string[];
  readonly of: (name: string) => AwsExplanation | undefined;
}

function isKey(name: string): boolean {
  return KEYS.some((key) => key === name);
}

export function awsExplainer(start: Start, settings: Settings): AwsExplainer {
  const report = reportAws(start, settings);
  const isOn = renewsAws(settings, start);
  return {
    added: isOn && report.kind === "renewed" ? report.set : [],
    of: (name) => {
      if (!isOn) return report.kind === "renewed" && isKey(name) ? { kind: "offer" } : undefined;
      switch (report.kind) {
        case "nothing":
          return undefined;
        case "refused": {
          const { problem, remedy } = report;
          return isKey(name) ? { kind: "refused", problem, remedy } : undefined;
        }
        case "renewed": {
          const { expiresAt, by, renewsAt } = report;
          if (isKey(name)) return { kind: "renewed", expiresAt, by, renewsAt };
          if (report.set.includes(name)) return { kind: "set" };
          return report.withheld.includes(name) ? { kind: "withheld" } : undefined;
        }
      }
    },
  };
}

/** @param inFull for a variable that the user named */
export function awsRows(
  explanation: AwsExplanation | undefined,
  inFull: boolean,
): readonly (readonly [string, string])[] {
  switch (explanation?.kind) {
    case undefined:
      return [];
    case "renewed": {
      const { expiresAt, by, renewsAt } = explanation;
      return [
        ["aws", "the program asks sophia-run for it, and never gets the value"],
        ["expires", `at ${expiresAt} (${by === "session" ? "the end of the session" : by}), renewed at ${renewsAt}`],
      ];
    }
    case "withheld":
      return [["aws", "--aws-refresh withholds it: SDKs would look there first"]];
    case "set":
      return [["aws", "--aws-refresh sets it, so that SDKs ask sophia-run"]];
    case "refused":
      return [["aws", `refused: ${explanation.problem}`], ...(inFull ? [["", explanation.remedy] as const] : [])];
    case "offer":
      return inFull ? [["aws", "--aws-refresh would renew it while the program runs"]] : [];
  }
}
