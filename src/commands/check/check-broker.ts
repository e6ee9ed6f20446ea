/**
 * `check --broker`: reports which API keys a start with `--broker` would keep from the program, which then gets a dummy for
 * each, and why it would refuse others. No broker is started.
 */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { groupBy } from "../../core/group-by.ts";
import { enumerateFew } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import type { ContractSource } from "../../contract/contract-model.ts";
import type { Values } from "../../command-line/options.ts";
import { checkBrokerExcept } from "../parts/broker/broker-except-option.ts";
import { describeExposedKeys, describeRemedies } from "../parts/broker/describe-key-faults.ts";
import type { Start } from "../../resolve/start.ts";
import {
  type BrokerReport,
  type KeyReport,
  UNBROKERED_REASON_TEXTS,
  reportBroker,
} from "../parts/broker/broker-report.ts";
import type { ExtraCheck } from "./extra-check.ts";

/** The limit on names in one line of the report; the others are counted. */
const MAX_NAMES = 5;

/**
 * Returns the check, which fails if a key cannot be brokered, or if the program would get a key itself.
 *
 * @throws SophiaError (settings, 125) for a `--broker-to` that is no origin, or a `--broker-except` that is no key */
export function checkBroker(start: Start, settings: Settings, options: Values, { environment }: Context): ExtraCheck {
  checkBrokerExcept(settings, options, start, environment);
  const report = reportBroker(start, settings, environment);
  const lines = createKeyLines(report, start.files.contract.source);
  const exposedCount = report.failures.filter(({ why }) => why !== undefined).length;
  const refusedCount = report.failures.length - exposedCount;
  return {
    section: ["--- Broker ---", ...(lines.length === 0 ? ["➖ No key is set that can be brokered"] : lines)],
    failures: [
      ...(refusedCount === 0 ? [] : [`${count(refusedCount, "key")} cannot be brokered, see Broker`]),
      ...(exposedCount === 0 ? [] : [`the program would get ${count(exposedCount, "key")} in clear, see Broker`]),
    ],
    fields: { broker: report },
  };
}

function createKeyLines(report: BrokerReport, source: ContractSource): readonly string[] {
  const { keys, failures, outer } = report;
  return [
    ...keys.map(createBrokeredLine),
    ...keys.flatMap(({ name, copies }) =>
      copies.length === 0 ? [] : [`⚠️ ${name}: ${enumerateFew(copies, MAX_NAMES)} still has the value`],
    ),
    ...failures.flatMap(({ name, problem, remedy, why }) =>
      why === undefined ? [`❌ ${name}: ${problem}`, `   ${remedy}`] : [],
    ),
    ...createExposedLines(failures, source),
    ...outer.map((name) => `✅ ${name}: Brokered by the outer sophia-run`),
    ...createUnbrokeredLines(report),
  ];
}

function createBrokeredLine({ name, origin, furtherOrigins = [], path, variables, byWords }: KeyReport): string {
  const destinations = [origin + path, ...furtherOrigins].join(", ");
  return `✅ ${name} → ${destinations} (${variables.join(", ")}), ${byWords}`;
}

/** Reports in one block the keys that the program would get itself: one remedy often helps several of them. */
function createExposedLines(failures: BrokerReport["failures"], source: ContractSource): readonly string[] {
  const exposedKeys = failures.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
  if (exposedKeys.length === 0) return [];
  const [names, ...reasons] = describeExposedKeys(exposedKeys);
  const furtherLines = [...reasons, ...describeRemedies(exposedKeys, source)];
  return [`❌ In clear: ${names}`, ...furtherLines.map((line) => `   ${line}`)];
}

function createUnbrokeredLines({ others }: BrokerReport): readonly string[] {
  if (others.length === 0) return [];
  const groups = Array.from(
    groupBy(others, ({ why }) => why),
    ([reason, secrets]) => {
      const names = secrets.map(({ name }) => name);
      return `${enumerateFew(names, MAX_NAMES)} (${UNBROKERED_REASON_TEXTS[reason]})`;
    },
  );
  return [`➖ Not brokered: ${groups.join("; ")}`];
}
