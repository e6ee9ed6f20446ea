"""An MCP client by the official SDK: starts the server of a configuration, calls its tool, prints the text."""

import asyncio
import json
import sys

from mcp import Client, StdioServerParameters


async def main() -> None:
    async with Client(StdioServerParameters(**json.loads(sys.argv[1]))) as client:
        result = await client.call_tool("show")
        print(result.content[0].text)


asyncio.run(main())
