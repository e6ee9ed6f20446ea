/** An MCP server by the official SDK: its tool shows what the server got, and where it runs. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";

const { SEARCH_KEY, OTHER_KEY = "none" } = process.env;
const server = new McpServer({ name: "search", version: "1.0.0" });
server.registerTool("show", { description: "Shows the environment" }, () => ({
  content: [
    { type: "text", text: `key ${SEARCH_KEY}, length ${SEARCH_KEY.length}, other ${OTHER_KEY}, in ${process.cwd()}` },
  ],
}));
await server.connect(new StdioServerTransport());
