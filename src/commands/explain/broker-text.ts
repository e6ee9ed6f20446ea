/**
 * Writes the rows of `sophia-run explain` about `--broker`, which keeps API keys from the program. The rows contain no
 * value.
 *
 *     broker   the program gets a dummy, never the value
 *     sent to  https://api.openai.com, …
 */
import type { RequestLimit } from "../../contract/broker/broker-model.ts";
import { providerOf } from "../../contract/broker/providers.ts";
import { enumerate } from "../../core/text.ts";
import { UNBROKERED_REASON_TEXTS } from "../parts/broker/broker-report.ts";
import type { BrokerExplanation } from "./explain-broker.ts";
import type { KeyLocation } from "./locations.ts";

/** A row of the table about a variable. If the key is empty, the row continues the one above it. */
type Row = readonly [key: string, text: string];

/** Returns the rows about one variable. @param isDetailed true for a variable that the user named, which gets all rows */
export function createBrokerRows(explanation: BrokerExplanation | undefined, isDetailed: boolean): readonly Row[] {
  switch (explanation?.kind) {
    case undefined:
      return [];
    case "brokered":
      return isDetailed
        ? [...createBriefKeyRows(explanation), ...createDetailedKeyRows(explanation)]
        : createBriefKeyRows(explanation);
    case "refused":
      return [
        ["broker", `refused: ${explanation.problem}`],
        ...(isDetailed ? [["", explanation.remedy] as const] : []),
      ];
    case "outer":
      return [["broker", "a dummy already, by the outer sophia-run"]];
    case "not-brokered":
      return [["broker", `the program gets the value itself: ${UNBROKERED_REASON_TEXTS[explanation.why]}`]];
    case "address":
      return [["broker", `--broker sets it to its own address, for ${enumerate(explanation.keys)}`]];
    case "offer":
      if (!isDetailed) return [];
      return explanation.what === "dummy"
        ? [["broker", "--broker would give the program a dummy"]]
        : [["broker", `--broker would set it to its own address, for ${enumerate(explanation.keys)}`]];
  }
}

type BrokeredKeyExplanation = Extract<BrokerExplanation, { readonly kind: "brokered" }>;

/** Returns the rows that each brokered key has: what the program gets, and where the broker sends the key. */
function createBriefKeyRows({ origin, furtherOrigins = [], path, byWords }: BrokeredKeyExplanation): readonly Row[] {
  return [
    ["broker", "the program gets a dummy, never the value"],
    ["sent to", `${enumerate([origin + path, ...furtherOrigins])}, ${byWords}`],
  ];
}

/** Returns the further rows of a key that the user named: the rules for requests, and other places that have the key. */
function createDetailedKeyRows({
  name,
  variables,
  allow,
  deny,
  limit,
  liesIn,
}: BrokeredKeyExplanation): readonly Row[] {
  const defaultPaths = deny.length === 0 ? "all paths" : "all paths that are not denied";
  const locations = liesIn.length === 0 ? ["no other place that sophia-run knows"] : liesIn.map(describeLocation);
  return [
    ["through", `the broker, whose address is in ${enumerate(variables)}`],
    ...createRows("allowed", allow.length === 0 ? [defaultPaths] : allow),
    ...createRows("denied", deny),
    ...(limit === undefined ? [] : [["limit", describeLimit(limit)] as const]),
    // All requests of GraphQL have the same path, by which no rule can tell them apart.
    ...(providerOf(name)?.isGithub === true
      ? [["rules", "allow or deny GraphQL as a whole: they cannot look into its queries"] as const]
      : []),
    ...createRows("lies in", locations),
  ];
}

function describeLimit({ perMinute, total }: RequestLimit): string {
  const minuteLimit = perMinute === undefined ? [] : [`${perMinute} in a minute`];
  const runLimit = total === undefined ? [] : [`${total} in a run`];
  return `${enumerate([...minuteLimit, ...runLimit])}; requests beyond get 429`;
}

/** Returns a row for each text. Only the first row has the key. */
function createRows(key: string, texts: readonly string[]): readonly Row[] {
  return texts.map((text, index) => [index === 0 ? key : "", text] as const);
}

function describeLocation({ kind, where, line, isOther }: KeyLocation): string {
  const other = isOther === true ? ", with another value" : "";
  switch (kind) {
    case "environment":
      return `the caller's environment, as ${where}: other programs that were started there have it${other}`;
    case "file":
      return `${where}${line === undefined ? "" : `:${line}`}${other}`;
    case "variable":
      return `${where}, which the program gets`;
    case "token-variable":
      return `ESC: the program gets ${where}, which may open it`;
    case "token-file":
      return `ESC: the program can read the token in ${where}`;
    case "pulumi-credentials":
      return `ESC: the program can read ${where}, which may open it`;
  }
}
