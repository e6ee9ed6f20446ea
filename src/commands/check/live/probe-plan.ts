/**
 * Plans the requests of `check --live`: which variables have a probe, what is sent to which destination, and whether the user must
 * agree first. Pure. The texts of a plan contain no value; only its request does.
 */
import { isSet } from "../../../contract/check-contract.ts";
import { parseContract } from "../../../contract/file/load-file.ts";
import { builtInText } from "../../../contract/generated/built-in-text.ts";
import type { ProbeEntry } from "../../../contract/generated/document.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { fillReferences, referencesIn } from "../../../contract/file/probe-meaning.ts";
import type { Resolved } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl } from "../../../core/url.ts";
import { DEFAULT_BACKEND } from "../../../esc/settings/backend.ts";
import { isOfValue } from "../../../output/violations.ts";
import type { Start } from "../../../resolve/start.ts";
import type { HttpProbe } from "./http-probe.ts";
import { createHttpProbe, fillUrl, type ProbeTemplate, variableInHost } from "./http-template.ts";
import { reasonForDefaultUrl, reasonForHost } from "./probe-consent.ts";

export interface ProbePlan {
  readonly name: string;
  readonly label: string;
  /** The destination, for the user: a host from the contract, or the variable with the address. */
  readonly where: string;
  /** The reason for which the user must agree: a file of the repository names the destination. */
  readonly consent?: string;
  readonly request:
    | ({ readonly kind: "http" } & HttpProbe)
    | { readonly kind: "postgresql"; readonly url: string }
    | { readonly kind: "none"; readonly reason: string };
}

/** The part of a plan that its probe decides. */
type Destination = Pick<ProbePlan, "where" | "consent" | "request">;

/** The test of a variable's value, as the contract declares it. */
interface VariableProbe {
  readonly name: string;
  readonly probe: ProbeEntry;
  /** The built-in contract has the same probe for this name, so that its host needs no consent. */
  readonly isBuiltIn: boolean;
}

/**
 * Plans a request for each variable that is set, valid, and has a probe.
 *
 * @param backend the caller's backend (PULUMI_BACKEND_URL), if it is not Pulumi Cloud
 */
export function planProbes(start: Start, backend: string | undefined): readonly ProbePlan[] {
  const {
    files: { contract },
    values: { selected },
    verdict: { violations },
  } = start;
  const invalidNames = new Set(violations.filter(isOfValue).map(({ name }) => name));
  return probesOf(contract).flatMap((variableProbe): readonly ProbePlan[] => {
    const resolved = isSet(selected, variableProbe.name) ? selected.get(variableProbe.name) : undefined;
    if (resolved === undefined || invalidNames.has(variableProbe.name)) return [];
    const name = printable(variableProbe.name);
    const { label = name, as } = contract.variables.get(variableProbe.name) ?? {};
    const isPathOfFile = as === "file" && resolved.delivery === "value";
    const destination = isPathOfFile
      ? withoutRequest("", "its value is the path of a file")
      : planDestination(variableProbe, resolved, start, backend);
    return [{ name, label, ...destination }];
  });
}

function planDestination(
  { name, probe, isBuiltIn }: VariableProbe,
  resolved: Resolved,
  start: Start,
  backend: string | undefined,
): Destination {
  if (typeof probe !== "string") return planHttp(probe, isBuiltIn, resolved, start, backend);
  const where = `the database of ${printable(name)}`;
  const request = { kind: "postgresql", url: resolved.value } as const;
  return { where, ...withConsent(reasonForDefaultUrl(resolved, where)), request };
}

function planHttp(
  template: ProbeTemplate,
  isBuiltIn: boolean,
  resolved: Resolved,
  { store: { esc }, values: { selected } }: Start,
  backend: string | undefined,
): Destination {
  const { url, headers = {}, basic = "", body = "" } = template;
  const hostName = variableInHost(url);
  const where =
    hostName === undefined
      ? (parseUrl(fillReferences(url, () => "x"))?.host ?? "")
      : `the host of ${printable(hostName)}`;
  const references = [url, ...Object.values(headers), basic, body].flatMap(referencesIn);
  const missing = references.find((name) => !isSet(selected, name));
  if (missing !== undefined) return withoutRequest(where, `${printable(missing)} is not set`);

  // Half a surrogate pair has no form in a request.
  const valueOf = (name: string): string => (selected.get(name)?.value ?? "").toWellFormed();
  const address = fillUrl(url, valueOf);
  const isPulumiCloud = isBuiltIn && address.startsWith(`${DEFAULT_BACKEND}/`);
  const callersBackend = isPulumiCloud ? backend : undefined;
  const callersAddress =
    callersBackend === undefined ? address : callersBackend + address.slice(DEFAULT_BACKEND.length);
  const probe = createHttpProbe(template, callersAddress, valueOf);
  if (typeof probe === "string") return withoutRequest(where, probe);

  const host = hostName === undefined ? undefined : selected.get(hostName);
  const consent = isBuiltIn ? reasonForHost(host, resolved, esc) : `the contract names the host ${where}`;
  return {
    where: callersBackend === undefined ? where : probe.url.host,
    ...withConsent(consent),
    request: { kind: "http", ...probe },
  };
}

function withoutRequest(where: string, reason: string): Destination {
  return { where, request: { kind: "none", reason } };
}

function withConsent(reason: string | undefined): Pick<ProbePlan, "consent"> {
  return reason === undefined ? {} : { consent: reason };
}

/** Returns the probes of a contract, and whether each is the same as in the built-in contract. */
export function probesOf(contract: Contract): readonly VariableProbe[] {
  const builtInProbes = new Map(
    Object.entries(parseContract(builtInText)?.variables ?? {}).flatMap(([name, { probe }]) =>
      probe === undefined ? [] : [[name, probe] as const],
    ),
  );
  return Array.from(contract.variables.values()).flatMap((declaration): readonly VariableProbe[] => {
    const { name } = declaration;
    const builtInProbe = builtInProbes.get(name);
    const probe = contract.source.kind === "built-in" ? builtInProbe : declaration.probe;
    if (probe === undefined) return [];
    return [{ name, probe, isBuiltIn: JSON.stringify(probe) === JSON.stringify(builtInProbe) }];
  });
}
