"""Send images to the model: a file, and one from memory."""

import base64
from pathlib import Path

from openai_codex import Codex, ImageInput, LocalImageInput, TextInput

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
Path("pixel.png").write_bytes(PIXEL)

with Codex() as codex:
    thread = codex.thread_start()
    in_memory = ImageInput("data:image/png;base64," + base64.b64encode(PIXEL).decode())
    result = thread.run([TextInput("Are these two the same?"), LocalImageInput("pixel.png"), in_memory])
    print(result.final_response)
