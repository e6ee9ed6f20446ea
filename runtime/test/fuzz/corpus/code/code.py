import os
from os import environ as e
e["SERVICE_TOKEN"]
os.getenv("MODE", "debug")
class S(BaseSettings):
  port: int = 1
