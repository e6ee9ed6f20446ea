import { expect, test } from "vitest";
import { sophia, sophiaRun } from "../helpers/sophia.ts";

test.each(["spawn", "auto"])(
  "of hundreds of variables each keeps its value, whatever its name, in mode %s",
  async (mode) => {
    const names = Array.from({ length: 400 }, (_, index) => [`VARIABLE_${index}`, `value ${index}`]);
    const env: Record<string, string> = {
      ...Object.fromEntries(names),
      VARIABLE: "begins the names that follow",
      EMPTY: "",
      "1x": "begins with a digit",
      "naïve.name": "café",
      ["__proto__"]: "a name like any other",
      QUOTES_ANOTHER: "VARIABLE_3=\nVARIABLE_4=x",
      LAST: "1",
    };
    const run = ["--no-contract", "--mode", mode, "--"];
    // Node lists array indices before all others, but env(1) puts them last.
    const { status, stdout, stderr } = await sophia([...run, "env", "7=a", "10=", ...sophiaRun, ...run, "env", "-0"], {
      env,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const entries = stdout.split("\0").filter((entry) => !/^(?:PATH|HOME)=/.test(entry));
    const expected = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    expect(entries.toSorted()).toEqual(["", "7=a", "10=", ...expected].toSorted());
  },
);
