/** The variables of a file that go into ESC; pure. */
import type { Contract } from "../../contract/model.ts";
import type { Variable } from "../../core/model.ts";

export interface Candidate {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
}

export interface Sorted {
  readonly candidates: readonly Candidate[];
  /** Settings of sophia-run. */
  readonly own: readonly string[];
  /** Declared and empty, which counts as unset. */
  readonly empty: readonly string[];
}

const SECRET_PARTS = /^(?:AUTH|CREDENTIAL|DSN|KEY|PASS|PASSPHRASE|PASSWD|PASSWORD|PRIVATE|PWD|SECRET|TOKEN)S?$/;
/** Names written as one word: `APIKEY`, `PGPASSWORD`. */
const SECRET_END = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)S?$/;

export function sortCandidates(variables: readonly Variable[], contract: Contract): Sorted {
  const candidates: Candidate[] = [];
  const own: string[] = [];
  const empty: string[] = [];
  for (const { name, value } of variables) {
    const declaration = contract.variables.get(contract.aliases.get(name) ?? name);
    if (isOwnName(name)) own.push(name);
    else if (value === "" && declaration !== undefined) empty.push(name);
    else candidates.push({ name, value, secret: declaration?.secret ?? looksSecret(name, value) });
  }
  return { candidates, own, empty };
}

/** Returns true for a setting of sophia-run itself. */
export function isOwnName(name: string): boolean {
  return /^(?:ESC|SOPHIA)_/i.test(name) || name === "PULUMI_BACKEND_URL";
}

/** Returns true for an undeclared variable that its name or value marks as a secret. */
export function looksSecret(name: string, value: string): boolean {
  const upper = name.replaceAll(/([a-z\d])([A-Z])/g, "$1_$2").toUpperCase();
  if (upper.split(/[^A-Z\d]+/).some((part) => SECRET_PARTS.test(part)) || SECRET_END.test(upper)) return true;
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#\s]*@/i.test(value) || value.includes("PRIVATE KEY-----");
}
