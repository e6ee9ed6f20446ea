import type { NotBrokered } from "./report.ts";

/** Reasons, for people. */
export const NOT_BROKERED: Readonly<Record<NotBrokered, string>> = {
  contract: "the contract says so",
  file: "a file of ESC",
  fake: "a dummy value of --fake",
  excepted: "--broker-except",
  unknown: "no service is known",
};
