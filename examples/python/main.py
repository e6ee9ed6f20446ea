"""A service under uvicorn or gunicorn. It reads its configuration from the environment when it starts, and nothing else.

    sophia-run -- uvicorn main:app
    sophia-run -- gunicorn --worker-class asgi main:app
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from settings import Settings


@asynccontextmanager
async def lifespan(service: FastAPI) -> AsyncIterator[None]:
    service.state.settings = Settings.from_environment()
    yield
    # SIGTERM reaches the server itself: the last requests are answered by now.
    print("stopped", flush=True)


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def index(request: Request) -> dict[str, str]:
    return {"qdrant": request.app.state.settings.qdrant_url}


@app.post("/length")
async def length(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}
