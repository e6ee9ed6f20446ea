"""Makes a call, a stream and a call that fails with an official client, as its documentation has them.

Key and address come from the environment alone. Prints what the client got: `python python.py CLIENT`.
"""

import json
import os
import sys

MESSAGES = [{"role": "user", "content": "hello"}]


def status_of(call):
    try:
        call()
    except Exception as error:
        return getattr(error, "status_code", None) or getattr(error, "code", None) or repr(error)
    return "no error"


def chat(completions):
    def create(model, stream):
        return completions.create(model=model, messages=MESSAGES, stream=stream)

    deltas = [chunk.choices[0].delta for chunk in create("good", True) if chunk.choices]
    texts = [delta["content"] if isinstance(delta, dict) else delta.content for delta in deltas]
    return {
        "call": create("good", False).choices[0].message.content,
        "stream": [text for text in texts if text],
        "error": status_of(lambda: create("broken", False)),
    }


def openai():
    import openai

    return chat(openai.OpenAI(max_retries=0).chat.completions)


def google_genai():
    from google import genai

    client = genai.Client()
    models = client.models
    stream = models.generate_content_stream(model="good", contents="hello")
    return {
        "call": models.generate_content(model="good", contents="hello").text,
        "stream": [chunk.text for chunk in stream if chunk.text],
        "error": status_of(lambda: models.generate_content(model="broken", contents="hello")),
    }


def groq():
    import groq

    return chat(groq.Groq(max_retries=0).chat.completions)


def perplexityai():
    import perplexity

    return chat(perplexity.Perplexity(max_retries=0).chat.completions)


def portkey():
    import portkey_ai

    return chat(portkey_ai.Portkey().chat.completions)


def anthropic():
    import anthropic

    client = anthropic.Anthropic(max_retries=0)

    def create(model, stream):
        return client.messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=stream)

    texts = [getattr(getattr(event, "delta", None), "text", None) for event in create("good", True)]
    return {
        "call": create("good", False).content[0].text,
        "stream": [text for text in texts if text],
        "error": status_of(lambda: create("broken", False)),
    }


def qdrant():
    import qdrant_client

    client = qdrant_client.QdrantClient(
        url=os.environ["QDRANT_URL"], api_key=os.environ["QDRANT_API_KEY"], check_compatibility=False
    )
    return {
        "call": client.get_collections().collections[0].name,
        "stream": [],
        "error": status_of(lambda: client.get_collection("broken")),
    }


CLIENTS = {
    "openai": openai,
    "anthropic": anthropic,
    "google-genai": google_genai,
    "groq": groq,
    "perplexityai": perplexityai,
    "portkey-ai": portkey,
    "qdrant-client": qdrant,
}
print(json.dumps(CLIENTS[sys.argv[1]]()))
