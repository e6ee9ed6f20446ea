/** The options of the broker: which of them conflict, and which origins and names they allow. */
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl } from "../../../core/url.ts";
import type { PlanOptions } from "./brokered-keys.ts";
import { listenAddress } from "./listen-option.ts";

type Options = Pick<
  Settings,
  "contractFile" | "envFiles" | "brokerTo" | "brokerExcept" | "brokerListen" | "brokerName"
>;

/** They need --broker. */
const BROKER_OPTIONS = ["broker-to", "broker-except", "broker-listen", "broker-name"] as const;

/**
 * Refuses invalid options before a source is read: ESC takes its time, and may make credentials for a session. The variables
 * may stand without `SOPHIA_BROKER`, since starts without the broker inherit them.
 *
 * @throws SophiaError (usage, settings; 125)
 */
export function refuseBrokerOptions(settings: Options & Pick<Settings, "broker">, flags: Values): void {
  if (settings.broker) return void planOptions(settings);
  const alone = BROKER_OPTIONS.find((name) => flags[name] !== undefined);
  if (alone === undefined) return;
  // Not by `usageError`: a mistyped command would load this file with it.
  throw new SophiaError({
    code: "usage",
    message: `--${alone} needs --broker`,
    hint: `add --broker, or leave --${alone} out`,
  });
}

/** @throws SophiaError (settings, 125) for a `--broker-to` that is no origin, or an invalid `--broker-listen` */
export function planOptions(settings: Options): PlanOptions {
  const { contractFile, envFiles, brokerTo, brokerExcept } = settings;
  return {
    isContractNamed: contractFile !== undefined,
    areFilesNamed: envFiles.every(({ required }) => required),
    allowed: brokerTo.map(originIn),
    except: brokerExcept,
    address: listenAddress(settings),
  };
}

function originIn(text: string): string {
  const url = parseUrl(text);
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  const isOne = url?.hostname.includes("*") !== true;
  if (isOrigin && isOne) return url.origin;
  throw new SophiaError({
    code: "settings",
    message: `--broker-to has an invalid value: '${printable(text)}'${isOne ? "" : " (an origin has no wildcard: any file could then choose who gets a key)"}`,
    hint: isOne
      ? "allowed: an origin without a path, such as https://api.example.com"
      : "name each origin, such as https://api.example.com",
  });
}
