import type { SourceId } from "../core/model.ts";

type Giver = "caller" | "configuration" | "contract";

/** Every source: who gives its values decides which options withhold them. `PRECEDENCE` has their order. */
const GIVERS: Readonly<Record<SourceId, Giver>> = {
  override: "configuration",
  esc: "configuration",
  environment: "caller",
  secrets: "configuration",
  dotenv: "configuration",
  contract: "contract",
  fake: "contract",
};

export function giverOf(id: SourceId): Giver {
  return GIVERS[id];
}
