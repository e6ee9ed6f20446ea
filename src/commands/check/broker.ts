/** `check --broker`: which keys a start with --broker would broker. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { grouped } from "../../core/grouped.ts";
import { enumerateFew } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { type BrokerReport, type NotBrokered, reportBroker } from "../broker/report.ts";
import { NOT_BROKERED } from "../broker/words.ts";
import type { ExtraCheck } from "./text.ts";

const MOST_NAMES = 5;

/** @throws SophiaError (settings, 125) for a `--broker-to` that is no origin */
export function checkBroker(assessment: Assessment, settings: Settings, { environment }: Context): ExtraCheck {
  const report = reportBroker(assessment, settings, environment);
  const { failures, others } = report;
  const lines = linesOf(report);
  const [failure] = failures;
  const bare = namesOf(others, "undeclared");
  return {
    section: ["--- Broker ---", ...(lines.length === 0 ? ["➖ No key is set that can be brokered"] : lines)],
    failures: failure === undefined ? [] : [`${count(failures.length, "key")} cannot be brokered, see Broker`],
    warnings: bare.length === 0 ? [] : [`${enumerateFew(bare, MOST_NAMES)} ${undeclaredWords(bare)}`],
    fields: { broker: report },
  };
}

function linesOf({ keys, failures, outer, others }: BrokerReport): readonly string[] {
  const left = grouped(others, ({ why }) => why);
  const why = Array.from(left, ([reason, them]) => {
    return `${enumerateFew(namesOf(them, reason), MOST_NAMES)} (${NOT_BROKERED[reason]})`;
  });
  return [
    ...keys.map(({ name, origin, path, variables, byWords }) => {
      return `✅ ${name} → ${origin}${path} (${variables.join(", ")}), ${byWords}`;
    }),
    ...keys.flatMap(({ name, copies }) =>
      copies.length === 0 ? [] : [`⚠️ ${name}: ${enumerateFew(copies, MOST_NAMES)} still has the value`],
    ),
    ...failures.flatMap(({ name, problem, remedy }) => [`❌ ${name}: ${problem}`, `   ${remedy}`]),
    ...outer.map((name) => `✅ ${name}: Brokered by the outer sophia-run`),
    ...(why.length === 0 ? [] : [`➖ Not brokered: ${why.join("; ")}`]),
  ];
}

function namesOf(others: BrokerReport["others"], reason: NotBrokered): readonly string[] {
  return others.flatMap(({ name, why }) => (why === reason ? [name] : []));
}

function undeclaredWords(names: readonly string[]): string {
  return names.length === 1
    ? "is not declared by the contract, and not brokered"
    : "are not declared by the contract, and not brokered";
}
