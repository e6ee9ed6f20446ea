"""An MCP server by the official SDK: its tool shows what the server got, and where it runs."""

import os

from mcp.server import MCPServer

server = MCPServer("search")


@server.tool()
def show() -> str:
    key = os.environ["SEARCH_KEY"]
    return f"key {key}, length {len(key)}, other {os.environ.get('OTHER_KEY', 'none')}, in {os.getcwd()}"


server.run()
