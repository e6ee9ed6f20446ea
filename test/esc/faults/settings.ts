import type { FaultCase, Variables } from "./case.ts";
import { SENTINEL_TOKEN } from "./sentinels.ts";

export const SETTINGS: readonly FaultCase[] = [
  stopped("ESC_ENV with a space", { ESC_ENV: "sophia/my dev" }),
  stopped("ESC_ENV with four parts", { ESC_ENV: "a/b/c/d" }),
  stopped("ESC_ENV with an empty part", { ESC_ENV: "demo-org//dev" }),
  stopped("ESC_ENV and ESC_TOKEN swapped", { ESC_ENV: SENTINEL_TOKEN, ESC_TOKEN: "sophia/dev" }),
  stopped("a line break in the token", { ESC_TOKEN: `${SENTINEL_TOKEN}\n${SENTINEL_TOKEN}` }),
  stopped("a backend that is not a URL", { PULUMI_BACKEND_URL: "backend.example" }),
  stopped("a plain http backend on another machine", { PULUMI_BACKEND_URL: "http://backend.example" }),
];

function stopped(fault: string, variables: Variables): FaultCase {
  return {
    fault,
    behaviour: "stops before any request",
    expect: { kind: "stopped", code: "esc-settings" },
    arrange: () => variables,
  };
}
