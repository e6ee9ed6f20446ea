import type { NotBrokered } from "./report.ts";

/** Reasons, for people. */
export const NOT_BROKERED: Readonly<Record<NotBrokered, string>> = {
  undeclared: "not declared by the contract",
  contract: "the contract says so",
  file: "a file of ESC",
  fake: "a dummy value of --fake",
  unknown: "no service is known",
};
