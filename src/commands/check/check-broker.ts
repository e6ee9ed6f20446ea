/** `check --broker`: which keys a start with --broker would broker. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { grouped } from "../../core/grouped.ts";
import { enumerateFew } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import type { ContractSource } from "../../contract/contract-model.ts";
import type { Values } from "../../command-line/options.ts";
import { checkBrokerExcept } from "../parts/broker/broker-except-option.ts";
import { describeExposedKeys, describeRemedies } from "../parts/broker/describe-key-faults.ts";
import type { Start } from "../../resolve/start.ts";
import { type BrokerReport, type NotBrokered, reportBroker, NOT_BROKERED } from "../parts/broker/broker-report.ts";
import type { ExtraCheck } from "./check-text.ts";

const MOST_NAMES = 5;

/** @throws SophiaError (settings, 125) for a `--broker-to` that is no origin, or a `--broker-except` that is no key */
export function checkBroker(start: Start, settings: Settings, options: Values, { environment }: Context): ExtraCheck {
  checkBrokerExcept(settings, options, start, environment);
  const report = reportBroker(start, settings, environment);
  const { failures } = report;
  const lines = linesOf(report, start.files.contract.source);
  const clear = failures.filter(({ why }) => why !== undefined).length;
  const others = failures.length - clear;
  return {
    section: ["--- Broker ---", ...(lines.length === 0 ? ["➖ No key is set that can be brokered"] : lines)],
    failures: [
      ...(others === 0 ? [] : [`${count(others, "key")} cannot be brokered, see Broker`]),
      ...(clear === 0 ? [] : [`the program would get ${count(clear, "key")} in clear, see Broker`]),
    ],
    fields: { broker: report },
  };
}

function linesOf({ keys, failures, outer, others }: BrokerReport, source: ContractSource): readonly string[] {
  const clear = failures.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
  const [names, ...reasons] = describeExposedKeys(clear);
  const left = Array.from(
    grouped(others, ({ why }) => why),
    ([reason, them]) => {
      return `${enumerateFew(namesOf(them, reason), MOST_NAMES)} (${NOT_BROKERED[reason]})`;
    },
  );
  return [
    ...keys.map(({ name, origin, furtherOrigins = [], path, variables, byWords }) => {
      return `✅ ${name} → ${[origin + path, ...furtherOrigins].join(", ")} (${variables.join(", ")}), ${byWords}`;
    }),
    ...keys.flatMap(({ name, copies }) =>
      copies.length === 0 ? [] : [`⚠️ ${name}: ${enumerateFew(copies, MOST_NAMES)} still has the value`],
    ),
    ...failures.flatMap(({ name, problem, remedy, why }) =>
      why === undefined ? [`❌ ${name}: ${problem}`, `   ${remedy}`] : [],
    ),
    ...(clear.length === 0
      ? []
      : [`❌ In clear: ${names}`, ...[...reasons, ...describeRemedies(clear, source)].map((line) => `   ${line}`)]),
    ...outer.map((name) => `✅ ${name}: Brokered by the outer sophia-run`),
    ...(left.length === 0 ? [] : [`➖ Not brokered: ${left.join("; ")}`]),
  ];
}

function namesOf(others: BrokerReport["others"], reason: NotBrokered): readonly string[] {
  return others.flatMap(({ name, why }) => (why === reason ? [name] : []));
}
