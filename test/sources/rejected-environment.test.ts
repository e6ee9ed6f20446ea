/** The message about an environment whose schema refuses a value: which of several environments it is, and why. */
import { expect, test } from "vitest";
import { EscFault } from "../../src/esc/faults/esc-fault.ts";
import { findAccessSettings } from "../../src/esc/settings/access-settings.ts";
import { describeRejection } from "../../src/sources/rejected-environment.ts";
import { requireEscSettings } from "../esc/esc-settings.ts";

const variables = new Map([
  ["ESC_TOKEN", "pul-0123456789"],
  ["ESC_ENV", "acme/app/base,acme/app/dev"],
]);

test("only the environment that ESC refuses is named, with the number of attempts", () => {
  const { access } = findAccessSettings(variables, [], { timeoutMs: 1_000, insecureHttp: false });
  const settings = requireEscSettings(access);
  const fault = new EscFault(
    { kind: "status", host: "esc.test", status: 400, diagnostics: [] },
    { attempts: 2, step: "opening the environment" },
  );
  const name = { organization: "acme", project: "app", name: "dev" };
  const rejected = { name, fault, findings: [], variables: [], isComplete: true } as const;
  const { failure } = describeRejection([rejected], { environments: [], layers: [] }, settings, []);
  expect(failure.message).toBe("ESC environment acme/app/dev cannot be read: esc.test answered HTTP 400 (2 attempts)");
});
