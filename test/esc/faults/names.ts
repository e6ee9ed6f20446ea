/** Cases of faults of ESC: environments that do not exist, and names whose organization is not known. */
import { type FaultCase, refused, unavailable } from "./case.ts";

export const NAMES: readonly FaultCase[] = [
  {
    fault: "one of several environments does not exist",
    countedOperation: "open",
    behaviour: "the others end at once",
    expect: refused("esc-not-found"),
    arrange: () => ({ ESC_ENV: "demo-org/sophia/dev,demo-org/sophia/gone" }),
  },
  {
    fault: "neither meaning of a name with two parts exists",
    behaviour: "both are requested; with `--require-esc` only the first",
    callsWhenRequired: ["open"],
    expect: refused("esc-not-found"),
    arrange: () => ({ ESC_ENV: "sophia/gone", ESC_ORG: "demo-org" }),
  },
  {
    fault: "no organization for a name with one part",
    behaviour: "not retried",
    expect: refused("esc-not-found"),
    arrange: ({ server }) => {
      server.failAlways("defaultOrg", 404);
      server.failAlways("user", { kind: "status", status: 200, body: { name: "nobody" } });
      return { ESC_ENV: "dev" };
    },
  },
  {
    fault: "the default organization cannot be requested",
    behaviour: "retried four times",
    expect: unavailable("esc-server"),
    arrange: ({ server }) => {
      server.failAlways("defaultOrg", 503);
      return { ESC_ENV: "sophia/dev" };
    },
  },
];
