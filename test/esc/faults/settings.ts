/** Cases of faults of ESC: settings that are wrong, so that nothing is requested. */
import type { FaultCase, Variables } from "./case.ts";
import { SENTINEL_TOKEN } from "./sentinels.ts";

export const SETTINGS: readonly FaultCase[] = [
  createStoppedCase("ESC_ENV with a space", { ESC_ENV: "sophia/my dev" }),
  createStoppedCase("ESC_ENV with four parts", { ESC_ENV: "a/b/c/d" }),
  createStoppedCase("ESC_ENV with an empty part", { ESC_ENV: "demo-org//dev" }),
  createStoppedCase("ESC_ENV and ESC_TOKEN swapped", { ESC_ENV: SENTINEL_TOKEN, ESC_TOKEN: "sophia/dev" }),
  createStoppedCase("a line break in the token", { ESC_TOKEN: `${SENTINEL_TOKEN}\n${SENTINEL_TOKEN}` }),
  createStoppedCase("a backend that is not a URL", { PULUMI_BACKEND_URL: "backend.example" }),
  createStoppedCase("a plain http backend on another machine", { PULUMI_BACKEND_URL: "http://backend.example" }),
];

function createStoppedCase(fault: string, variables: Variables): FaultCase {
  return {
    fault,
    behaviour: "stops before any request",
    expect: { kind: "stopped", code: "esc-settings" },
    arrange: () => variables,
  };
}
