/** Plans the requests of `check --live`; pure. Its texts contain no value. */
import { isSet } from "../../../contract/check-contract.ts";
import { parseContract } from "../../../contract/file/load-file.ts";
import { builtInText } from "../../../contract/generated/built-in-text.ts";
import type { ProbeEntry } from "../../../contract/generated/document.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { fill, referencesIn } from "../../../contract/file/probe-meaning.ts";
import { isOfLine, type Origin, type Resolved } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl, isLoopback } from "../../../core/url.ts";
import { DEFAULT_BACKEND } from "../../../esc/settings/backend.ts";
import { isTrustedOrigin } from "../../../esc/settings/from-files.ts";
import { isOfValue } from "../../../output/violations.ts";
import type { EscStatus, Start } from "../../../resolve/start.ts";
import type { HttpProbe } from "./http-probe.ts";

export interface Planned {
  readonly name: string;
  readonly label: string;
  /** The destination, for people: a host from the contract, or the variable with the address. */
  readonly where: string;
  /** The reason for which the user must agree: a file of the repository names the destination. */
  readonly consent?: string;
  readonly ask:
    | ({ readonly kind: "http" } & HttpProbe)
    | { readonly kind: "postgresql"; readonly url: string }
    | { readonly kind: "none"; readonly reason: string };
}

/** The request of the contract that tests a value. */
interface Probe {
  readonly name: string;
  readonly probe: ProbeEntry;
  readonly isBuiltIn: boolean;
}

type ProbeTemplate = Exclude<ProbeEntry, string>;

/** @param pulumi the caller's backend, if it is not Pulumi Cloud */
export function planProbes(start: Start, pulumi: string | undefined): readonly Planned[] {
  const {
    files: { contract },
    values: { selected },
    verdict: { violations },
  } = start;
  const invalid = new Set(violations.filter(isOfValue).map(({ name }) => name));
  return probesOf(contract).flatMap((probe): readonly Planned[] => {
    const resolved = isSet(selected, probe.name) ? selected.get(probe.name) : undefined;
    if (resolved === undefined || invalid.has(probe.name)) return [];
    const name = printable(probe.name);
    const { label = name, as } = contract.variables.get(probe.name) ?? {};
    if (as === "file" && resolved.delivery === "value") {
      return [{ name, label, where: "", ask: { kind: "none", reason: "its value is the path of a file" } }];
    }
    if (typeof probe.probe === "string") {
      const where = `the database of ${name}`;
      const byContract =
        resolved.origin.source === "contract" ? `the contract's default names ${where}` : byAlias(resolved);
      const consent = byContract === undefined ? {} : { consent: byContract };
      return [{ name, label, where, ...consent, ask: { kind: "postgresql", url: resolved.value } }];
    }
    return [{ name, label, ...httpPlan(probe, probe.probe, resolved, start, pulumi) }];
  });
}

function httpPlan(
  { isBuiltIn }: Probe,
  probe: ProbeTemplate,
  resolved: Resolved,
  { store: { esc }, values: { selected } }: Start,
  pulumi: string | undefined,
): Omit<Planned, "name" | "label"> {
  const { url: template, headers = {}, basic, body, method = "GET", expect = [200], reject = [401] } = probe;
  const base = /^\$\{([^{}]*)\}/.exec(template)?.[1];
  const where =
    base === undefined ? (parseUrl(fill(template, () => "x"))?.host ?? "") : `the host of ${printable(base)}`;
  const none = (reason: string): Omit<Planned, "name" | "label"> => ({ where, ask: { kind: "none", reason } });
  const used = [template, ...Object.values(headers), basic ?? "", body ?? ""].flatMap(referencesIn);
  const missing = used.find((name) => !isSet(selected, name));
  if (missing !== undefined) return none(`${printable(missing)} is not set`);
  // Half a surrogate pair has no form in a request.
  const valueOf = (name: string): string => (selected.get(name)?.value ?? "").toWellFormed();

  const host = base === undefined ? undefined : selected.get(base);
  const byFile = !isBuiltIn
    ? `the contract names the host ${where}`
    : host !== undefined && !isHostTrusted(host.origin, resolved.origin, esc)
      ? `a file sets ${printable(host.name)}`
      : byAlias(resolved);

  const address = base === undefined ? "the address" : printable(base);
  const start = base === undefined ? "" : valueOf(base).trim().replace(/\/+$/, "");
  const rest = base === undefined ? template : template.slice(base.length + 3);
  const filled = start + fill(rest, (name) => encodeURIComponent(valueOf(name)));
  const ownPulumi = isBuiltIn && filled.startsWith(`${DEFAULT_BACKEND}/`) ? pulumi : undefined;
  const url = parseUrl(ownPulumi === undefined ? filled : ownPulumi + filled.slice(DEFAULT_BACKEND.length));
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return none(`${address} is not a URL with https`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    return none(`${address} is plain http to another machine`);
  }
  if (url.username !== "" || url.password !== "") return none("the address has a user name or a password in it");
  const sent = {
    Accept: "application/json",
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value, valueOf)])),
    ...(basic === undefined ? {} : { Authorization: `Basic ${Buffer.from(fill(basic, valueOf)).toString("base64")}` }),
  };
  // Checked here, since an invalid header fails only in the request. A final line break is the usual case.
  if (Object.values(sent).some((value) => !/^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value))) {
    return none("it contains characters that are invalid in a header, such as a line break");
  }
  return {
    where: ownPulumi === undefined ? where : url.host,
    ...(byFile === undefined ? {} : { consent: byFile }),
    ask: {
      kind: "http",
      url,
      method,
      headers: sent,
      body: body === undefined ? undefined : fill(body, (name) => JSON.stringify(valueOf(name)).slice(1, -1)),
      expect,
      reject,
    },
  };
}

/** Returns the reason for which the user must agree if only the contract gives the value this name. */
function byAlias({ name, origin: { alias } }: Resolved): string | undefined {
  return alias === undefined ? undefined : `the contract makes ${printable(alias)} an alias of ${printable(name)}`;
}

/** Returns true if an address comes from the caller or from the source of the value. */
function isHostTrusted(host: Origin, value: Origin, esc: EscStatus): boolean {
  // The caller or the system names the folder.
  if (host.source === "secrets" && host.alias === undefined) return true;
  if (isOfLine(host) && isOfLine(value)) return host.file === value.file;
  if (host.source !== "esc" || host.alias !== undefined) return isTrustedOrigin(host);
  // The author of a file with a token selects the environment that it opens.
  const isOurs = !("settings" in esc) || esc.settings.credentialFrom.file === undefined;
  return value.source === "esc" || isOurs;
}

/** Returns the probes of a contract, and whether each is the same as in the built-in contract. */
export function probesOf(contract: Contract): readonly Probe[] {
  const builtIn = new Map(
    Object.entries(parseContract(builtInText)?.variables ?? {}).flatMap(([name, { probe }]) =>
      probe === undefined ? [] : [[name, probe] as const],
    ),
  );
  return Array.from(contract.variables.values()).flatMap((declaration): readonly Probe[] => {
    const { name } = declaration;
    const own = builtIn.get(name);
    const probe = contract.source.kind === "built-in" ? own : declaration.probe;
    if (probe === undefined) return [];
    return [{ name, probe, isBuiltIn: JSON.stringify(probe) === JSON.stringify(own) }];
  });
}
