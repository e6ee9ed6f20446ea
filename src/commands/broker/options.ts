/** The options of the broker that decide which origins count. */
import type { Settings } from "../../command-line/settings.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { parseUrl } from "../../core/url.ts";
import type { PlanOptions } from "./keys.ts";

/** @throws SophiaError (settings, 125) for a `--broker-to` that is no origin */
export function planOptions({
  contractFile,
  envFiles,
  brokerTo,
}: Pick<Settings, "contractFile" | "envFiles" | "brokerTo">): PlanOptions {
  return {
    isContractNamed: contractFile !== undefined,
    areFilesNamed: envFiles.every(({ required }) => required),
    allowed: brokerTo.map(originIn),
  };
}

function originIn(text: string): string {
  const url = parseUrl(text);
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  if (isOrigin) return url.origin;
  throw new SophiaError({
    code: "settings",
    message: `--broker-to has an invalid value: '${printable(text)}'`,
    hint: "allowed: an origin without a path, such as https://api.example.com",
  });
}
