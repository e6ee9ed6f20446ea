/** Fake environments of the Sophia platform, for the demo and for the server of main.ts. */
import type { EscServer } from "./server.ts";
import { secret } from "./values.ts";

/** The environment of {@link addDemoEnvironments}, in full. */
export const DEMO_ENVIRONMENT = "demo-org/sophia/dev";

/**
 * Adds a sample of the Sophia platform's configuration: `demo-org/sophia/base`, which the rest imports, and
 * `demo-org/sophia/dev` with two revisions, of which the tag `stable` names the first. Every value says that it is fake.
 */
export function addDemoEnvironments(server: EscServer): void {
  server.environment("demo-org/sophia/base", {
    values: {
      QDRANT_URL: "https://qdrant.example.test:6333",
      DATABASE_URL: secret("postgresql://sophia:fake-password@db.example.test:5432/sophia"),
      LOG_LEVEL: "info",
      REQUEST_TIMEOUT_SECONDS: 30,
    },
  });
  const first = {
    PULUMI_ACCESS_TOKEN: secret("pul-0000fake0000fake0000fake0000fake00009f3c"),
    QDRANT_API_KEY: secret("fake-qdrant-api-key-7d21"),
    GH_FINE_GRAINED_TOKEN: secret("github_pat_fake-000000000000000000000b84e"),
    ANTHROPIC_API_KEY: secret("sk-ant-fake-000000000000000000000000c5aa"),
  };
  server.environment(DEMO_ENVIRONMENT, {
    imports: ["sophia/base"],
    values: first,
    tags: ["stable"],
    creator: "demo-user",
  });
  server.environment(DEMO_ENVIRONMENT, {
    imports: ["sophia/base"],
    values: {
      ...first,
      GITHUB_PAT: secret("ghp_fake-00000000000000000000000001d07"),
      OPENROUTER_API_KEY: secret("sk-or-fake-00000000000000000000000002e91"),
      PORTKEY_API_KEY: secret("fake-portkey-key-000000000000006b40"),
      OPENAI_API_KEY: secret("sk-fake-000000000000000000000000000083f2"),
      DEEPSEEK_API_KEY: secret("sk-fake-deepseek-00000000000000000011d9"),
      GROQ_API_KEY: secret("gsk_fake000000000000000000000000000004ac"),
      MISTRAL_API_KEY: secret("fake-mistral-key-0000000000000000e57b"),
      LAMBDA_CLOUD_API_KEY: secret("secret_fake-lambda_0000000000000000.90c6"),
      TAVILY_API_KEY: secret("tvly-fake-0000000000000000000000002f38"),
      SERPER_API_KEY: secret("fake-serper-key-00000000000000000a71e"),
      PERPLEXITY_API_KEY: secret("pplx-fake-000000000000000000000000d405"),
      LOG_LEVEL: "debug",
      TRACING: true,
    },
    files: {
      GOOGLE_APPLICATION_CREDENTIALS: secret(
        `${JSON.stringify({ type: "service_account", project_id: "sophia-demo", private_key: "fake" }, null, 2)}\n`,
      ),
    },
    creator: "demo-user",
  });
}
