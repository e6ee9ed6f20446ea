import type { NotBrokered } from "./report.ts";

export const NOT_BROKERED: Readonly<Record<NotBrokered, string>> = {
  undeclared: "not declared by the contract",
  contract: '"broker": false',
  file: "a file of ESC",
  fake: "a dummy value of --fake",
  unknown: "no service is known",
};
