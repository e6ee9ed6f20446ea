/** An MCP client by the official SDK: starts the server of a configuration, calls its tool, prints the text. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const client = new Client({ name: "test", version: "1.0.0" });
await client.connect(new StdioClientTransport(JSON.parse(process.argv[2])));
const { content } = await client.callTool({ name: "show" });
await client.close();
process.stdout.write(content[0].text);
