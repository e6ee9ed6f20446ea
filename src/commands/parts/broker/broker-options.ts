/**
 * Checks the options that begin with `--broker-`, and returns them as the options of the plan in brokered-keys.ts. `run`, `check`
 * and `explain` use this file if the user turns the broker on.
 */
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl } from "../../../core/url.ts";
import type { BrokerPlanOptions } from "./brokered-keys.ts";
import { parseListenOptions } from "./listen-option.ts";

type BrokerSettings = Pick<
  Settings,
  "contractFile" | "envFiles" | "brokerTo" | "brokerExcept" | "brokerListen" | "brokerName"
>;

/** The options that have no effect without `--broker`. */
const BROKER_OPTIONS = ["broker-to", "broker-except", "broker-listen", "broker-name"] as const;

/**
 * Refuses invalid options before any source is read, because reading ESC takes time and may create credentials. An option needs
 * `--broker`. A variable such as `SOPHIA_BROKER_TO` does not, since starts without the broker inherit it.
 *
 * @param flags the options on the command line, without those that variables set
 * @throws SophiaError (usage, settings; 125)
 */
export function refuseBrokerOptions(settings: BrokerSettings & Pick<Settings, "broker">, flags: Values): void {
  if (settings.broker) {
    parseBrokerPlanOptions(settings);
    return;
  }
  const unusedOption = BROKER_OPTIONS.find((name) => flags[name] !== undefined);
  if (unusedOption === undefined) return;
  // This does not call `usageError`: the build would put this file into a chunk that each mistyped command loads.
  throw new SophiaError({
    code: "usage",
    message: `--${unusedOption} needs --broker`,
    hint: `add --broker, or leave --${unusedOption} out`,
  });
}

/**
 * Returns the options of the broker's plan.
 *
 * @throws SophiaError (settings, 125) for an invalid `--broker-to`, `--broker-listen` or `--broker-name`
 */
export function parseBrokerPlanOptions(settings: BrokerSettings): BrokerPlanOptions {
  const { contractFile, envFiles, brokerTo, brokerExcept } = settings;
  return {
    isContractNamed: contractFile !== undefined,
    areEnvFilesNamed: envFiles.every(({ required }) => required),
    allowedOrigins: brokerTo.map(parseOrigin),
    exceptedNames: brokerExcept,
    listenAddress: parseListenOptions(settings),
  };
}

/** Parses one origin of `--broker-to`: `https://api.example.com`. */
function parseOrigin(text: string): string {
  const url = parseUrl(text);
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  const hasWildcard = url?.hostname.includes("*") === true;
  if (isOrigin && !hasWildcard) return url.origin;
  const message = `--broker-to has an invalid value: '${printable(text)}'`;
  if (hasWildcard) {
    throw new SophiaError({
      code: "settings",
      message: `${message} (an origin has no wildcard: any file could then choose who gets a key)`,
      hint: "name each origin, such as https://api.example.com",
    });
  }
  throw new SophiaError({
    code: "settings",
    message,
    hint: "allowed: an origin without a path, such as https://api.example.com",
  });
}
