/** Reports for people and programs what `--aws-refresh` does with the variables of AWS, without values; nothing is served. */
import type { Settings } from "../../../command-line/settings.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import type { Start } from "../../../resolve/start.ts";
import { originWords } from "../../../resolve/source-words.ts";
import { SET, WITHHELD } from "../../run/aws/aws-variables.ts";
import { awsPlan, EXPIRATION, KEYS } from "../../run/aws/aws-credentials.ts";
import { renewalOf } from "../../run/aws/renewal.ts";

export type AwsReport =
  | {
      readonly kind: "renewed";
      readonly variables: readonly string[];
      /** Names in words where the credentials come from. */
      readonly from: string;
      readonly expiresAt: string;
      /** `session`: the environment does not say when they expire. */
      readonly by: typeof EXPIRATION | "session";
      /** When ESC is opened again. */
      readonly renewsAt: string;
      /** Variables that the program gets in place of them. */
      readonly set: readonly string[];
      /** Further variables that are set, and that it does not get. */
      readonly withheld: readonly string[];
    }
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string }
  | { readonly kind: "nothing"; readonly why: string };

/** Returns true if a start would renew AWS credentials, if there are any. */
export function renewsAws(settings: Settings, { files: { contract } }: Pick<Start, "files">): boolean {
  return (settings.awsRefresh ?? contract.awsRefresh) === true;
}

export function reportAws(start: Start, settings: Settings): AwsReport {
  const plan = awsPlan(settings, start, Date.now());
  if (typeof plan === "string") return { kind: "nothing", why: plan };
  if (plan instanceof SophiaError) return { kind: "refused", problem: plan.message, remedy: plan.hint ?? "" };
  const {
    values: { selected },
  } = start;
  const isSet = (name: string): boolean => (selected.get(name)?.value ?? "") !== "";
  const origin = selected.get(KEYS[0])?.origin;
  return {
    kind: "renewed",
    variables: KEYS,
    from: origin === undefined ? "" : printable(originWords(origin)),
    expiresAt: timeOf(plan.expiresAt),
    by: plan.isStated ? EXPIRATION : "session",
    renewsAt: timeOf(renewalOf(plan)),
    set: SET,
    withheld: WITHHELD.filter((name) => !KEYS.some((key) => key === name) && isSet(name)),
  };
}

/** A time to the second, as RFC 3339 writes it. */
function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
