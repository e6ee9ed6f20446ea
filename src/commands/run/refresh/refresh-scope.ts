/** Decides which credentials and files of ESC are renewed: by the options `--refresh` and `--aws-refresh`, or by the contract. */
import type { Settings } from "../../../command-line/settings.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { type Cloud, CLOUDS } from "./cloud-credentials.ts";

/** The options by which the user asks for renewals. */
export const REFRESH_OPTIONS = {
  /** `failure` is both the code of the option's failures and the reason why exec mode is not possible. */
  "--refresh": { name: "refresh", failure: "refresh" },
  "--aws-refresh": { name: "aws-refresh", failure: "aws" },
} as const;

/** The credentials and files that the options ask for. */
export interface RefreshScope {
  /** The option that messages name. */
  readonly option: keyof typeof REFRESH_OPTIONS;
  readonly clouds: readonly Cloud[];
  /** True if files of ESC are renewed as well. */
  readonly hasFiles: boolean;
}

/** Returns what is renewed; undefined if nothing is. The contract decides about an option that the user has not set. */
export function createRefreshScope(
  { refresh, awsRefresh }: Pick<Settings, "refresh" | "awsRefresh">,
  contract: Pick<Contract, "refresh" | "awsRefresh">,
): RefreshScope | undefined {
  const isFullRefresh = (refresh ?? contract.refresh) === true;
  // If `awsRefresh` is false, `--refresh` leaves out AWS.
  const hasAws = awsRefresh ?? (isFullRefresh || contract.awsRefresh === true);
  if (isFullRefresh) {
    return { option: "--refresh", clouds: CLOUDS.filter((cloud) => cloud !== "aws" || hasAws), hasFiles: true };
  }
  return hasAws ? { option: "--aws-refresh", clouds: ["aws"], hasFiles: false } : undefined;
}
