/**
 * Plans the requests of `check --live`. A contract can declare a probe for a variable: a request that tests its value. This
 * file decides which probes run, what they send to which destination, and whether the user must agree first.
 */
import { isSet } from "../../../contract/check-contract.ts";
import { parseContract } from "../../../contract/file/load-file.ts";
import { builtInText } from "../../../contract/generated/built-in-text.ts";
import type { ProbeEntry } from "../../../contract/generated/document.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { fillReferences, referencesIn } from "../../../contract/file/validate-probe.ts";
import type { ResolvedVariable } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { parseUrl } from "../../../core/url.ts";
import { DEFAULT_BACKEND } from "../../../esc/settings/backend.ts";
import { isAboutWrongValue } from "../../../output/violations.ts";
import type { Start } from "../../../resolve/start.ts";
import type { HttpProbe } from "./http-probe.ts";
import { createHttpProbe, fillUrl, type ProbeTemplate, findVariableInHost } from "./http-template.ts";
import { findReasonForDefaultUrl, findReasonForHost } from "./probe-consent.ts";

/** The test of one value. Only `request` contains the value; the texts do not. */
export interface ProbePlan {
  readonly name: string;
  /** The name of the variable for the user. */
  readonly label: string;
  /** The destination, for the user: a host from the contract, or the variable with the address. */
  readonly destination: string;
  /** The reason for which the user must agree: a file of the repository names the destination. */
  readonly consentReason?: string;
  readonly request:
    | ({ readonly kind: "http" } & HttpProbe)
    | { readonly kind: "postgresql"; readonly url: string }
    | { readonly kind: "none"; readonly reason: string };
}

/** The part of a plan that follows from the probe and the value. */
type PlannedRequest = Pick<ProbePlan, "destination" | "consentReason" | "request">;

/** The test of a variable's value, as the contract declares it. */
interface VariableProbe {
  readonly name: string;
  readonly probe: ProbeEntry;
  /** True if the built-in contract has the same probe for this name. Then its host needs no consent. */
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
  const invalidNames = new Set(violations.filter(isAboutWrongValue).map(({ name }) => name));
  return listProbes(contract).flatMap((variableProbe): readonly ProbePlan[] => {
    const resolved = isSet(selected, variableProbe.name) ? selected.get(variableProbe.name) : undefined;
    if (resolved === undefined || invalidNames.has(variableProbe.name)) return [];
    const name = printable(variableProbe.name);
    const { label = name, as } = contract.variables.get(variableProbe.name) ?? {};
    const isPathOfFile = as === "file" && resolved.delivery === "value";
    const plannedRequest = isPathOfFile
      ? withoutRequest("", "its value is the path of a file")
      : planRequest(variableProbe, resolved, start, backend);
    return [{ name, label, ...plannedRequest }];
  });
}

function planRequest(
  { name, probe, isBuiltIn }: VariableProbe,
  resolved: ResolvedVariable,
  start: Start,
  backend: string | undefined,
): PlannedRequest {
  if (typeof probe !== "string") return planHttpRequest({ template: probe, isBuiltIn, resolved, backend }, start);
  const destination = `the database of ${printable(name)}`;
  const request = { kind: "postgresql", url: resolved.value } as const;
  return { destination, ...withConsentReason(findReasonForDefaultUrl(resolved, destination)), request };
}

/** The test of a variable's value by a request over HTTP. */
interface HttpTest {
  readonly template: ProbeTemplate;
  /** True if the built-in contract has the same probe for the variable. */
  readonly isBuiltIn: boolean;
  /** The variable whose value is tested. */
  readonly resolved: ResolvedVariable;
  /** The caller's backend; undefined for Pulumi Cloud. */
  readonly backend: string | undefined;
}

function planHttpRequest(
  { template, isBuiltIn, resolved, backend }: HttpTest,
  { store: { esc }, values: { selected } }: Start,
): PlannedRequest {
  const hostName = findVariableInHost(template.url);
  const declaredDestination = describeDestination(template.url);
  const unsetName = listReferences(template).find((name) => !isSet(selected, name));
  if (unsetName !== undefined) return withoutRequest(declaredDestination, `${printable(unsetName)} is not set`);

  // Half a surrogate pair has no form in a request.
  const valueOf = (name: string): string => (selected.get(name)?.value ?? "").toWellFormed();
  const address = fillUrl(template.url, valueOf);
  // A token of Pulumi is tested at the caller's own backend, if there is one.
  const isPulumiCloud = isBuiltIn && address.startsWith(`${DEFAULT_BACKEND}/`);
  const callersBackend = isPulumiCloud ? backend : undefined;
  const callersAddress =
    callersBackend === undefined ? address : callersBackend + address.slice(DEFAULT_BACKEND.length);
  const probe = createHttpProbe(template, callersAddress, valueOf);
  if (typeof probe === "string") return withoutRequest(declaredDestination, probe);

  const host = hostName === undefined ? undefined : selected.get(hostName);
  const reason = isBuiltIn
    ? findReasonForHost(host, resolved, esc)
    : `the contract names the host ${declaredDestination}`;
  return {
    destination: callersBackend === undefined ? declaredDestination : probe.url.host,
    ...withConsentReason(reason),
    request: { kind: "http", ...probe },
  };
}

/** Returns the host in the URL of a template, or names the variable that holds the host. */
function describeDestination(url: string): string {
  const hostName = findVariableInHost(url);
  if (hostName !== undefined) return `the host of ${printable(hostName)}`;
  // Any text in place of the references makes the template a URL.
  return parseUrl(fillReferences(url, () => "x"))?.host ?? "";
}

/** Returns the names of all variables to which a template refers. */
function listReferences({ url, headers = {}, basic = "", body = "" }: ProbeTemplate): readonly string[] {
  return [url, ...Object.values(headers), basic, body].flatMap(referencesIn);
}

function withoutRequest(destination: string, reason: string): PlannedRequest {
  return { destination, request: { kind: "none", reason } };
}

function withConsentReason(reason: string | undefined): Pick<ProbePlan, "consentReason"> {
  return reason === undefined ? {} : { consentReason: reason };
}

/** Returns the probes of a contract, and whether each is the same as in the built-in contract. */
export function listProbes(contract: Contract): readonly VariableProbe[] {
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
